//! What goes in: a server. What comes out: what it counts, and what holds at the moment, as text.

use super::Gauge;
use crate::admission::Load;
use crate::bounds::Class;
use crate::service::Service;

impl Service {
    /// What is counted, for Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let usage = self.statements.usage();
        let alone = |value: u64| vec![(String::new(), value)];
        let by_class = |of: fn(Load) -> usize| {
            let value = |class: Class| (format!("class=\"{}\"", class.name()), of(self.admission.load(class)) as u64);
            Class::ALL.map(value).to_vec()
        };
        let columns = usage.columns;
        let read = |from: &str, count| (format!("from=\"{from}\""), count);
        let counted = (
            "haetae_columns_read_total",
            "Columns of parts of files that scans have read, by where they were.",
            vec![read("file", columns.misses), read("memory", columns.hits)],
        );
        let gauges: [Gauge; 9] = [
            ("haetae_queries_running", "Queries that run.", by_class(|load| load.running)),
            ("haetae_queries_waiting", "Queries that wait for their turn.", by_class(|load| load.waiting)),
            ("haetae_statements_open", "Statements that run or wait, with changes.", alone(self.runs.count() as u64)),
            ("haetae_query_memory_bytes", "Memory that queries have reserved.", alone(usage.memory_bytes as u64)),
            ("haetae_columns_bytes", "Columns of files that are kept decoded.", alone(columns.bytes as u64)),
            ("haetae_spilled_bytes", "Temporary files of queries.", alone(usage.spill_bytes)),
            ("haetae_connections", "Connections that are open.", alone(*self.connections().borrow() as u64)),
            ("haetae_sessions", "Sessions with options of their own.", alone(self.sessions.count() as u64)),
            ("haetae_transactions", "Transactions that are open.", alone(self.transactions.count() as u64)),
        ];
        self.runs.metrics().text(&[counted], &gauges)
    }
}
