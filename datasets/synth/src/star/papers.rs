//! What goes in: a declaration. What comes out: the documents that were handed in with it, as text, and where stamps and
//! signatures stand on them. There are no pictures of these.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use sha2::{Digest, Sha256};

use super::companies::History;
use super::header::Declaration;
use super::rates::CURRENCIES;
use crate::columns::{days, iso, maybe, numbers, rows, text, whole};
use crate::error::SynthError;
use crate::names;
use crate::rng::Rng;
use crate::rows::Ids;
use crate::world::World;

/// Share of the declarations whose papers are looked at that have files of them.
const KEPT: f64 = 0.2;

/// Where the name of the buyer stands until the day of the paper is known.
const BUYER: &str = "<buyer>";

/// One document.
pub struct Paper {
    declaration: String,
    kind: &'static str,
    number: String,
    issuer: String,
    issued: i32,
    sha256: String,
    text: String,
    objects: Vec<Object>,
}

/// A stamp or a signature: left, top, width and height as shares of the page.
struct Object {
    kind: &'static str,
    place: [f64; 4],
}

/// The documents of a declaration; most have none here.
pub fn hand_in(world: &World, ids: &Ids, history: &History, d: &Declaration<'_>, rng: &mut Rng) -> Vec<Paper> {
    if d.lane == "green" || !rng.chance(KEPT) {
        return Vec::new();
    }
    let first = d.first;
    let from = &world.reference.countries[first.departure];
    let seller = match first.seller {
        Some(s) => {
            names::seller(world.seed, s, world.reference.countries[world.companies.sellers[s].country as usize].code)
        }
        None => "not stated".to_owned(),
    };
    let shipped = d.cargo.departure;
    let number = |letters: &str, rng: &mut Rng| format!("{letters}-{:07}", rng.below(10_000_000));
    let mut papers = Vec::new();
    let mut add = |kind, number: String, issuer: String, days_before: i32, body: String, rng: &mut Rng| {
        let issued = shipped - days_before;
        let body = body.replace(BUYER, &history.name(world.seed, first.importer, issued));
        let text = format!("{body}No. {number} of {}\nDeclared as {}\n", iso(issued), d.id);
        let sha256 = format!("{:x}", Sha256::digest(&text));
        let objects = objects(kind, rng);
        papers.push(Paper { declaration: d.id.clone(), kind, number, issuer, issued, sha256, text, objects });
    };
    let lines = lines(world, d, true);
    let invoice = format!(
        "COMMERCIAL INVOICE\nSeller: {seller}\nBuyer: {BUYER}\nTerms: {} {}\n{lines}Total: {} {:.2}\n",
        d.incoterm, from.name, CURRENCIES[d.currency].0, d.invoice
    );
    let no = number("CI", rng);
    add("invoice", no, seller.clone(), 1 + rng.below(10) as i32, invoice, rng);
    let claims = d.lines.iter().find(|line| world.is_preference(&line.declared.claim));
    if let Some(line) = claims {
        let origin = world.reference.countries[line.declared.origin].name;
        let body =
            format!("CERTIFICATE OF ORIGIN\nExporter: {seller}\nOrigin: {origin}\n{}", self::lines(world, d, false));
        let no = number("CO", rng);
        add("origin", no, format!("Chamber of Commerce of {origin}"), rng.below(3) as i32, body, rng);
    }
    let packing = format!(
        "PACKING LIST\nSeller: {seller}\nBuyer: {BUYER}\nPackages: {}\nNet: {} kg\nGross: {} kg\n",
        d.cargo.packages, d.net, d.gross
    );
    let no = number("PL", rng);
    add("packing", no, seller.clone(), rng.below(4) as i32, packing, rng);
    let body = format!(
        "TRANSPORT DOCUMENT\nCarrier: {}\nShipper: {seller}\nConsignee: {BUYER}, {}\nFrom: {}\nPackages: {}\n",
        d.cargo.carrier,
        ids.importer(first.importer),
        from.name,
        d.cargo.packages
    );
    add("transport", d.cargo.bill.clone(), d.cargo.carrier.to_owned(), 0, body, rng);
    papers
}

/// The goods line by line, with or without prices.
fn lines(world: &World, d: &Declaration<'_>, prices: bool) -> String {
    let mut text = String::new();
    for line in d.lines {
        let goods = &world.goods.list[line.declared.good];
        // Writing to a text cannot fail.
        let _ = write!(text, "{}. {} ({}), {} kg", line.item_no, goods.description, goods.hs6, line.declared.mass);
        if prices {
            let share = line.declared.price / d.value;
            let _ = write!(text, ", {:.2}", d.invoice * share);
        }
        text.push('\n');
    }
    text
}

/// What stands at the foot of a page: certificates have a stamp and a signature, others often one of them.
fn objects(kind: &str, rng: &mut Rng) -> Vec<Object> {
    let mut objects = Vec::new();
    let certificate = kind == "origin";
    let mut add = |kind, size: [f64; 2], rng: &mut Rng| {
        let round = |x: f64| (x * 10_000.0).round() / 10_000.0;
        let [width, height] = size.map(|s| round(s * rng.between(0.8, 1.2)));
        let (left, top) = (round(rng.between(0.05, 0.9 - width)), round(rng.between(0.6, 0.95 - height)));
        objects.push(Object { kind, place: [left, top, width, height] });
    };
    if certificate || rng.chance(0.5) {
        add("stamp", [0.16, 0.11], rng);
    }
    if certificate || rng.chance(0.7) {
        add("signature", [0.22, 0.05], rng);
    }
    objects
}

/// Rows of `fact_document`, `bridge_document_declaration` and `fact_image_object`.
pub fn batches(papers: &[Paper]) -> Result<[RecordBatch; 3], SynthError> {
    let objects: Vec<(&Paper, usize, &Object)> = papers
        .iter()
        .flat_map(|paper| paper.objects.iter().enumerate().map(move |(place, object)| (paper, place, object)))
        .collect();
    let part = |side: usize| numbers(objects.iter().map(|(_, _, object)| object.place[side]));
    Ok([
        rows(
            "fact_document",
            vec![
                text(papers.iter().map(|p| &p.sha256)),
                text(papers.iter().map(|p| format!("{}-{}.txt", p.declaration, p.kind))),
                text(papers.iter().map(|_| "text/plain")),
                whole(papers.iter().map(|p| p.text.len() as i32)),
                maybe(papers.iter().map(|p| Some(&p.text))),
            ],
        )?,
        rows(
            "bridge_document_declaration",
            vec![
                text(papers.iter().map(|p| &p.declaration)),
                text(papers.iter().map(|p| p.kind)),
                text(papers.iter().map(|p| &p.sha256)),
                text(papers.iter().map(|p| &p.number)),
                text(papers.iter().map(|p| &p.issuer)),
                days(papers.iter().map(|p| p.issued)),
            ],
        )?,
        rows(
            "fact_image_object",
            vec![
                text(objects.iter().map(|(paper, ..)| &paper.sha256)),
                whole(objects.iter().map(|(_, place, _)| *place as i32 + 1)),
                text(objects.iter().map(|(_, _, object)| object.kind)),
                whole(objects.iter().map(|_| 1)),
                part(0),
                part(1),
                part(2),
                part(3),
            ],
        )?,
    ])
}
