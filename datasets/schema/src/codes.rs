//! What goes in: nothing. What comes out: the code lists that columns refer to.
//!
//! The codes are those seen in the Korea Customs Service declaration set (the set has no legend);
//! the descriptions are this project's own plausible wording, not an official list.

/// A closed list of codes with their descriptions.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeList {
    /// Name of the list, as catalogues show it.
    pub name: &'static str,
    /// (code, description), the most frequent codes of the declaration set first where that is known.
    pub codes: &'static [(&'static str, &'static str)],
}

impl CodeList {
    /// The description of `code`, or `None` where the list does not know it.
    pub fn describe(&self, code: &str) -> Option<&'static str> {
        self.codes.iter().find(|(c, _)| *c == code).map(|(_, d)| *d)
    }
}

/// How the declaration is processed.
pub static PROCESS_TYPE: CodeList = CodeList {
    name: "process_type",
    codes: &[("B", "Ordinary declaration"), ("D", "Simplified declaration"), ("A", "Declaration before arrival")],
};

/// Under what arrangement the goods come in.
pub static IMPORT_TYPE: CodeList = CodeList {
    name: "import_type",
    codes: &[
        ("11", "Ordinary import"),
        ("87", "Sample or advertising goods"),
        ("94", "Electronic commerce by post or courier"),
        ("15", "Import for bonded factory"),
        ("89", "Goods paid for outside trade, other"),
        ("29", "Processing trade, other"),
        ("88", "Repair or replacement"),
        ("83", "Re-import after temporary export"),
        ("84", "Re-import, other"),
        ("93", "Returned goods"),
        ("22", "Processing on commission"),
        ("86", "Exhibition goods"),
        ("92", "Temporary import"),
        ("80", "Import without payment"),
        ("71", "Leased goods"),
        ("21", "Inward processing"),
        ("13", "Import on consignment"),
        ("85", "Containers and packings"),
        ("12", "Import for foreign investment"),
        ("96", "Relief and donated goods"),
        ("51", "Free trade zone to home use"),
        ("55", "Bonded warehouse to home use"),
        ("59", "Bonded area to home use, other"),
        ("90", "Diplomatic goods"),
        ("53", "Bonded sales shop"),
        ("49", "Intermediary trade"),
        ("54", "Bonded exhibition to home use"),
        ("100", "Other"),
    ],
};

/// What the goods are for.
pub static IMPORT_USE: CodeList = CodeList {
    name: "import_use",
    codes: &[
        ("21", "Home use"),
        ("11", "Raw material for export"),
        ("26", "Electronic commerce, personal use"),
        ("23", "Government procurement"),
        ("28", "Research and education"),
        ("13", "Capital goods for export industry"),
        ("12", "Parts for export"),
        ("15", "Material for domestic supply to exporters"),
        ("14", "Packing for export"),
        ("31", "Military use"),
        ("27", "Medical use"),
        ("30", "Aid goods"),
        ("17", "Ship and aircraft stores"),
        ("24", "Sports and events"),
    ],
};

/// How the duty is collected.
pub static PAYMENT_TYPE: CodeList = CodeList {
    name: "payment_type",
    codes: &[
        ("11", "Payment before release"),
        ("43", "Monthly payment, credit"),
        ("18", "Payment after release, guaranteed"),
        ("14", "Payment after release, without guarantee"),
        ("0", "Nothing to pay"),
        ("13", "Payment after release, blanket guarantee"),
        ("21", "Imposed after release"),
        ("12", "Payment before release by guarantee"),
        ("33", "Payment by instalments"),
        ("1", "Payment by the declarant"),
    ],
};

/// How the goods crossed the border.
pub static TRANSPORT_MODE: CodeList = CodeList {
    name: "transport_mode",
    codes: &[("10", "Sea"), ("40", "Air"), ("50", "Post"), ("30", "Road"), ("90", "Other"), ("20", "Rail")],
};

/// Where and how the origin is marked on the goods.
pub static ORIGIN_MARK: CodeList = CodeList {
    name: "origin_mark",
    codes: &[
        ("E", "Marking exempt"),
        ("G", "Marked on goods and packing"),
        ("Y", "Marked on the goods"),
        ("B", "Marked on the packing"),
        ("S", "Marked by label or sticker"),
        ("N", "Not marked"),
    ],
};

/// On what ground the duty rate rests.
pub static TARIFF_TYPE: CodeList = CodeList {
    name: "tariff_type",
    codes: &[
        ("A", "Basic rate"),
        ("C", "WTO concession rate"),
        ("C1", "WTO concession rate, second schedule"),
        ("C2", "WTO concession rate, third schedule"),
        ("C3", "WTO concession rate, fourth schedule"),
        ("CIT", "WTO information technology agreement"),
        ("CIT1", "WTO information technology agreement, second stage"),
        ("CIT2", "WTO information technology agreement, third stage"),
        ("W1", "WTO concession rate, inside the quota"),
        ("W2", "WTO concession rate, outside the quota"),
        ("L", "Quota tariff, reduced for a volume"),
        ("F", "Adjustment rate"),
        ("P1", "Reduced rate for planned supply"),
        ("P3", "Emergency quota, free"),
        ("R", "Preference for least developed countries"),
        ("E1", "Asia-Pacific Trade Agreement"),
        ("FAS1", "FTA with ASEAN"),
        ("FAS2", "FTA with ASEAN, second schedule"),
        ("FAS4", "FTA with ASEAN, fourth schedule"),
        ("FAU1", "FTA with Australia"),
        ("FAU8", "FTA with Australia, seasonal"),
        ("FCA1", "FTA with Canada"),
        ("FCA6", "FTA with Canada, quota"),
        ("FCE1", "FTA with Central America"),
        ("FCL1", "FTA with Chile"),
        ("FCN1", "FTA with China"),
        ("FCN2", "FTA with China, second schedule"),
        ("FCN3", "FTA with China, third schedule"),
        ("FCN4", "FTA with China, fourth schedule"),
        ("FCN6", "FTA with China, quota"),
        ("FCO1", "FTA with Colombia"),
        ("FEF1", "FTA with EFTA"),
        ("FEF2", "FTA with EFTA, second schedule"),
        ("FEU1", "FTA with the European Union"),
        ("FEU2", "FTA with the European Union, second schedule"),
        ("FEU6", "FTA with the European Union, quota"),
        ("FGB1", "FTA with the United Kingdom"),
        ("FIN1", "Agreement with India"),
        ("FNZ1", "FTA with New Zealand"),
        ("FPE1", "FTA with Peru"),
        ("FSG1", "FTA with Singapore"),
        ("FTR1", "FTA with Turkiye"),
        ("FUS1", "FTA with the United States"),
        ("FUS2", "FTA with the United States, second schedule"),
        ("FUS4", "FTA with the United States, fourth schedule"),
        ("FUS5", "FTA with the United States, fifth schedule"),
        ("FVN1", "FTA with Viet Nam"),
        ("FVN2", "FTA with Viet Nam, second schedule"),
        ("FVN4", "FTA with Viet Nam, fourth schedule"),
    ],
};

/// Units of quantity.
pub static QUANTITY_UNIT: CodeList = CodeList {
    name: "quantity_unit",
    codes: &[("KG", "Kilogram"), ("U", "Piece"), ("2U", "Pair"), ("L", "Litre"), ("G", "Gram"), ("M2", "Square metre")],
};

/// Kinds of customs office.
pub static OFFICE_KIND: CodeList = CodeList {
    name: "office_kind",
    codes: &[("sea port", "At a sea port"), ("airport", "At an airport"), ("inland", "Away from the border")],
};

/// What an inspection found. The codes are stored as numbers.
pub static FRAUD_CLASS: CodeList =
    CodeList { name: "fraud_class", codes: &[("0", "Nothing wrong"), ("1", "Fraud"), ("2", "Critical fraud")] };

/// What happens to a declaration.
pub static LANE: CodeList = CodeList {
    name: "declaration_lane",
    codes: &[
        ("green", "Released as declared"),
        ("yellow", "Documents checked"),
        ("red", "Goods of at least one line inspected"),
    ],
};

/// Kinds of tax.
pub static TAX_KIND: CodeList =
    CodeList { name: "tax_kind", codes: &[("duty", "Customs duty"), ("vat", "Value added tax on imports")] };

/// What a payment pays.
pub static PAYMENT_KIND: CodeList = CodeList {
    name: "payment_kind",
    codes: &[("declared", "What was declared"), ("amended", "What an amendment has added")],
};

/// How a payment was made.
pub static PAYMENT_CHANNEL: CodeList = CodeList {
    name: "payment_channel",
    codes: &[
        ("bank", "At a bank"),
        ("online", "By electronic transfer"),
        ("card", "By card"),
        ("broker", "By the declarant"),
    ],
};

/// Why duty and tax are paid back.
pub static REFUND_REASON: CodeList = CodeList {
    name: "refund_reason",
    codes: &[
        ("amended", "An amendment has lowered them"),
        ("drawback", "The goods were exported again in other goods"),
        ("returned", "The goods were sent back as not in accordance with the contract"),
    ],
};

/// Why a declaration is corrected.
pub static AMENDMENT_REASON: CodeList = CodeList {
    name: "amendment_reason",
    codes: &[("clerical", "A slip of the pen"), ("price", "A price that was settled later")],
};

/// Why an audit was chosen.
pub static AUDIT_KIND: CodeList = CodeList {
    name: "audit_kind",
    codes: &[
        ("regular", "In the turn of large importers"),
        ("targeted", "The importer is on a watch list"),
        ("random", "Drawn by lot"),
    ],
};

/// What a case can be about.
pub static ENTITY_KIND: CodeList =
    CodeList { name: "entity_kind", codes: &[("company", "A company"), ("person", "A person")] };

/// What part somebody has in a case.
pub static CASE_PART: CodeList = CodeList {
    name: "case_part",
    codes: &[("subject", "Is audited"), ("representative", "Answers for the company that is audited")],
};

/// What a ruling decides.
pub static RULING_KIND: CodeList = CodeList {
    name: "ruling_kind",
    codes: &[("classification", "The subheading"), ("origin", "The origin"), ("valuation", "What the value has in it")],
};

/// Documents that are handed in with a declaration.
pub static DOCUMENT_TYPE: CodeList = CodeList {
    name: "document_type",
    codes: &[
        ("invoice", "Commercial invoice"),
        ("packing", "Packing list"),
        ("transport", "Bill of lading or air waybill"),
        ("origin", "Certificate of origin"),
    ],
};

/// What stands on a page beside its text.
pub static OBJECT_KIND: CodeList =
    CodeList { name: "object_kind", codes: &[("stamp", "A stamp"), ("signature", "A signature")] };

/// Whether a company is in business.
pub static COMPANY_STATE: CodeList =
    CodeList { name: "company_state", codes: &[("active", "In business"), ("closed", "Closed down")] };

/// What part a person has in a company.
pub static COMPANY_ROLE: CodeList = CodeList {
    name: "company_role",
    codes: &[
        ("representative", "Answers for the company"),
        ("director", "Sits on its board"),
        ("shareholder", "Owns a share of it"),
    ],
};

/// How two persons are tied.
pub static PERSON_RELATION: CodeList = CodeList {
    name: "person_relation",
    codes: &[
        ("spouse", "Married"),
        ("parent", "The first is a parent of the second, or the other way round"),
        ("sibling", "Brothers or sisters"),
        ("associate", "Known to do business together"),
    ],
};

/// Customs offences.
pub static OFFENCE_KIND: CodeList = CodeList {
    name: "offence_kind",
    codes: &[
        ("duty_evasion", "Evasion of duty"),
        ("false_declaration", "False declaration"),
        ("false_origin", "False claim of origin"),
        ("smuggling", "Smuggling"),
    ],
};
