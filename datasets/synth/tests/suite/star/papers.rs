//! Bills and documents belong to their declarations.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::index;
use crate::dataset::Frame;

#[test]
fn the_bill_of_a_declaration_is_its_own() {
    let (headers, bills) = (Frame::table("fact_declaration"), Frame::table("fact_manifest"));
    let rows = index(&bills, "bill_id");
    assert_eq!(rows.len(), headers.rows());
    let (arrival, importer, packages) =
        (bills.day("arrival_date"), bills.word("importer_id"), bills.whole("package_count"));
    let weighed = bills.number("gross_mass_kg");
    let (own_arrival, own_importer, own_packages, gross) = (
        headers.day("arrival_date"),
        headers.word("importer_id"),
        headers.whole("package_count"),
        headers.number("gross_mass_kg"),
    );
    let (mut same, mut hidden, mut hidden_same) = (0, 0, 0);
    let lies = Frame::truth("fraud");
    let (items, true_mass) = (Frame::table("fact_item"), lies.number("true_net_mass_kg"));
    let (at, mass) = (items.index(), items.number("net_mass_kg"));
    let light: HashSet<&str> = lies
        .keys()
        .into_iter()
        .zip(&true_mass)
        .filter(|(key, truth)| mass[at[key]] < **truth * 0.95)
        .map(|(key, _)| key.0)
        .collect();
    for (row, (bill, id)) in headers.word("bill_id").into_iter().zip(headers.word("declaration_id")).enumerate() {
        let b = rows[bill];
        assert_eq!((arrival[b], importer[b], packages[b]), (own_arrival[row], own_importer[row], own_packages[row]));
        let agrees = weighed[b] == gross[row];
        same += i32::from(agrees);
        if light.contains(id) {
            hidden += 1;
            hidden_same += i32::from(agrees);
        }
    }
    assert!(f64::from(same) > 0.93 * headers.rows() as f64, "{same}");
    assert!(hidden > 100 && hidden_same * 2 < hidden, "{hidden_same} of {hidden} understated masses are on the bill");
}

#[test]
fn documents_are_what_their_digest_says() {
    let (documents, links, objects) =
        (Frame::table("fact_document"), Frame::table("bridge_document_declaration"), Frame::table("fact_image_object"));
    for (sha256, text) in documents.word("sha256").into_iter().zip(documents.word("document_text")) {
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, digest);
    }
    assert!(
        documents.word("document_text").iter().zip(documents.whole("byte_size")).all(|(t, n)| t.len() == n as usize)
    );
    assert_eq!(links.rows(), documents.rows());
    let kinds: HashMap<&str, &str> = links.word("sha256").into_iter().zip(links.word("document_type")).collect();
    assert_eq!(kinds.values().collect::<HashSet<_>>().len(), 4);
    for side in [["left_share", "width_share"], ["top_share", "height_share"]] {
        let [start, size] = side.map(|name| objects.number(name));
        assert!(start.iter().zip(&size).all(|(start, size)| *start > 0.0 && *size > 0.0 && start + size < 1.0));
    }
    let mut on: HashMap<&str, HashSet<&str>> = HashMap::new();
    objects.word("sha256").into_iter().zip(objects.word("object_kind")).for_each(|(document, kind)| {
        on.entry(document).or_default().insert(kind);
    });
    let certificates = kinds.iter().filter(|(_, kind)| **kind == "origin");
    certificates.for_each(|(document, _)| assert_eq!(on[document].len(), 2, "{document}"));
}

#[test]
fn papers_have_the_name_that_the_buyer_had_on_their_day() {
    let (companies, links) = (Frame::table("dim_company"), Frame::table("bridge_document_declaration"));
    let (documents, headers) = (Frame::table("fact_document"), Frame::table("fact_declaration"));
    let mut spans: HashMap<&str, Vec<_>> = HashMap::new();
    let rows = companies.day("valid_from").into_iter().zip(companies.date("valid_to")).zip(companies.word("name"));
    for (id, ((from, to), name)) in companies.word("company_id").into_iter().zip(rows) {
        spans.entry(id).or_default().push((from, to, name));
    }
    let (text, header) = (index(&documents, "sha256"), index(&headers, "declaration_id"));
    let (texts, importers) = (documents.word("document_text"), headers.word("importer_id"));
    let papers = links.word("sha256").into_iter().zip(links.word("declaration_id")).zip(links.day("issued_on"));
    let mut former = 0;
    for ((sha256, declaration), day) in papers {
        let text = texts[text[sha256]];
        assert!(!text.contains("<buyer>"), "{text}");
        let Some(line) = text.lines().find(|l| l.starts_with("Buyer: ") || l.starts_with("Consignee: ")) else {
            continue;
        };
        let all = &spans[importers[header[declaration]]];
        let Some((_, to, name)) = all.iter().find(|(from, to, _)| *from <= day && to.is_none_or(|to| day <= to)) else {
            continue;
        };
        assert!(line.contains(name), "{line} on day {day}, when it was {name}");
        former += usize::from(to.is_some() && all.iter().any(|(.., other)| other != name));
    }
    assert!(former > 0);
}
