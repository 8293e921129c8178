//! What goes in: nothing. What comes out: the tables around documents: which declaration they belong to, and what
//! stamps and signatures stand on them.

use arrow_schema::DataType::{Float64, Int32};

use crate::codes;
use crate::shared::{DECLARATION, day};
use crate::table::Classification::Name;
use crate::table::{Column, Table};

pub(crate) const BRIDGE_DOCUMENT_DECLARATION: Table = Table {
    name: "bridge_document_declaration",
    comment: "One document that was handed in with one declaration.",
    columns: &[
        DECLARATION,
        Column::text("document_type", "What document it is.")
            .codes(&codes::DOCUMENT_TYPE)
            .wco("AdditionalDocument/TypeCode"),
        Column::text("sha256", "SHA-256 of its content.")
            .refers("fact_document", "sha256")
            .wco("AdditionalDocument/ID"),
        Column::text("document_no", "Number that its issuer gave it.").wco("AdditionalDocument/ReferenceID"),
        Column::text("issuer", "Who issued it: the seller, the carrier, a chamber of commerce.")
            .classified(Name)
            .wco("AdditionalDocument/Submitter/Name"),
        day("issued_on", "Day on which it was issued; never after the goods arrived.")
            .wco("AdditionalDocument/IssueDateTime"),
    ],
    key: &["declaration_id", "document_type"],
    sort: &["declaration_id", "document_type"],
};

const fn share(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Float64, false, comment)
}

pub(crate) const FACT_IMAGE_OBJECT: Table = Table {
    name: "fact_image_object",
    comment: "One stamp or signature on a page of a document: where it stands, and nothing of what it looks like.",
    columns: &[
        Column::text("sha256", "SHA-256 of the document.").refers("fact_document", "sha256"),
        Column::new("object_no", Int32, false, "Number of the object in its document, from 1."),
        Column::text("object_kind", "What it is.").codes(&codes::OBJECT_KIND),
        Column::new("page_no", Int32, false, "Page, from 1."),
        share("left_share", "Left edge, as a share of the width of the page."),
        share("top_share", "Upper edge, as a share of its height."),
        share("width_share", "Width, as a share of the width of the page."),
        share("height_share", "Height, as a share of its height."),
    ],
    key: &["sha256", "object_no"],
    sort: &["sha256", "object_no"],
};
