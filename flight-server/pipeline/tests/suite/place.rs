//! A warehouse in a folder of its own, pipelines over it, and its answers.

use std::path::PathBuf;

use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use haetae_pipeline::{Outcome, Pipeline, Result, run, shipped};
use haetae_warehouse::query::{Engine, EngineOptions, Snapshot};
use haetae_warehouse::store::Store;

pub struct Place {
    folder: tempfile::TempDir,
    pub store: Store,
}

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

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("warehouse")).unwrap();
        Self { folder, store }
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn engine(&self) -> Engine {
        Engine::new(self.store.clone(), &EngineOptions::default()).unwrap()
    }

    pub fn run(&self, pipeline: &Pipeline, file: &std::path::Path) -> Result<Outcome> {
        runtime().block_on(run(&self.store, &self.engine(), pipeline, file, &mut |_| {}))
    }

    /// The cells of an answer as text; null is an empty text.
    pub fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        ask(&self.engine().current().unwrap(), sql)
    }
}

pub fn ask(snapshot: &Snapshot, sql: &str) -> Vec<Vec<String>> {
    runtime().block_on(async {
        let statement = snapshot.statement(sql).await.unwrap();
        let batches: Vec<_> = statement.execute(None).await.unwrap().try_collect().await.unwrap();
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
                rows.push(cells.collect());
            }
        }
        rows
    })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
