//! A warehouse in a folder of its own, pipelines over it, and its answers.

use std::path::Path;

use haetae_pipeline::{Outcome, Pipeline, Result, run, shipped};
use haetae_warehouse::query::Snapshot;

pub use crate::files::Place;
use crate::files::{ask_of, runtime};

pub fn pipeline(name: &str) -> Pipeline {
    shipped().unwrap().into_iter().find(|pipeline| pipeline.name == name).unwrap()
}

/// An item of a message; `inner` is put into it.
pub fn xml_item(no: &str, hs: &str, price: &str) -> String {
    format!(
        "    <GovernmentAgencyGoodsItem><SequenceNumeric>{no}</SequenceNumeric><UseCode>21</UseCode>\
         <Commodity><ClassificationID>{hs}</ClassificationID>\
         <DutyTaxFee><TaxRateNumeric>10.4</TaxRateNumeric><DutyRegimeCode>FCN1</DutyRegimeCode></DutyTaxFee>\
         <GoodsMeasure><TariffQuantity unitCode=\"U\">3</TariffQuantity>\
         <NetWeightMeasure unitCode=\"KGM\">12.5</NetWeightMeasure></GoodsMeasure>\
         <InvoiceLine><ItemChargeAmount currencyID=\"KRW\">{price}</ItemChargeAmount></InvoiceLine></Commodity>\
         <Origin><CountryCode>CN</CountryCode><MarkCode>Y</MarkCode></Origin></GovernmentAgencyGoodsItem>\n"
    )
}

/// A message with items.
pub fn message(id: &str, items: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Declaration xmlns=\"urn:haetae:import\">\n  <ID>{id}</ID>\
         <IssueDateTime>20260302</IssueDateTime><DeclarationOfficeID>040</DeclarationOfficeID>\
         <ProcessTypeCode>B</ProcessTypeCode><PaymentMethodCode>11</PaymentMethodCode>\
         <BorderTransportMeans><ModeCode>10</ModeCode></BorderTransportMeans><Declarant><ID>D1</ID></Declarant>\n\
         \x20 <GoodsShipment><ExportCountryID>CN</ExportCountryID><GovernmentProcedureCode>11</GovernmentProcedureCode>\
         <Importer><ID>I1</ID></Importer>\n{}  </GoodsShipment>\n</Declaration>\n",
        items.concat()
    )
}

/// A warehouse that pipelines are run over.
pub trait Runs {
    fn run(&self, pipeline: &Pipeline, file: &Path) -> Result<Outcome>;
}

impl Runs for Place {
    fn run(&self, pipeline: &Pipeline, file: &Path) -> Result<Outcome> {
        runtime().block_on(run(&self.store, &self.engine(), pipeline, file, &mut |_| {}))
    }
}

/// The cells of an answer as text; null is an empty text.
pub fn ask(snapshot: &Snapshot, sql: &str) -> Vec<Vec<String>> {
    ask_of(snapshot, sql).unwrap()
}
