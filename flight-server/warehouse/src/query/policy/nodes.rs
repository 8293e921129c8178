//! What goes in: a logical plan. What comes out: whether a restricted user may run it, and what it
//! reads.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::utils::expr_to_columns;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use super::Access;
use super::guard::GuardedTable;
use super::system::KeptTable;
use crate::query::faults::explain;
use crate::{CATALOG, DEFAULT_SCHEMA, Error, Result, SqlFault};

const INFORMATION_SCHEMA: &str = "information_schema";

/// Fails for any node that is not on the list, in subqueries too: a node that a later DataFusion
/// brings is refused until somebody has thought about it.
pub(crate) fn allowed(plan: &LogicalPlan, access: &Access) -> Result<()> {
    let mut refused = None;
    let walked = plan.apply_with_subqueries(|node| {
        refused = refused.take().or_else(|| refusal(node));
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(|error| explain(&error, Some(access)))?;
    match refused {
        Some(message) => Err(Error::Sql { fault: SqlFault::ReadOnly, message }),
        None => Ok(()),
    }
}

fn refusal(node: &LogicalPlan) -> Option<String> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => None,
        // A scan hands its conditions to the table, which asks them of rows as they are; the optimizer alone may say so.
        LogicalPlan::TableScan(scan) if is_shown(scan) && !scan.filters.is_empty() => {
            Some(format!("a condition inside of the scan of {} is not allowed", scan.table_name))
        }
        LogicalPlan::TableScan(scan) if is_shown(scan) => None,
        LogicalPlan::TableScan(scan) => {
            Some(format!("reading {} is not allowed: it is none of the tables that you may see", scan.table_name))
        }
        other => {
            let kind = format!("{other:?}");
            let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
            Some(format!("{kind} is not allowed: your role may run queries only"))
        }
    }
}

/// Whether the table is one that shows only what the policy lets it.
fn is_shown(scan: &TableScan) -> bool {
    let Ok(provider) = source_as_provider(&scan.source) else { return false };
    provider.is::<GuardedTable>()
        || provider.is::<KeptTable>()
        || provider.is::<CteWorkTable>()
        // These list what the session's own catalogue has.
        || scan.table_name.schema() == Some(INFORMATION_SCHEMA)
}

fn is_work_table(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| provider.is::<CteWorkTable>())
}

/// `schema.table` -> columns that an optimized plan reads, be it for its rows or to choose them.
pub(crate) fn reads(plan: &LogicalPlan) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Only the closure could fail, and it does not.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            // What a recursive query has found so far is no table, and its name is the user's.
            && !is_work_table(scan)
        {
            let name = scan.table_name.clone().resolve(CATALOG, DEFAULT_SCHEMA);
            let columns = found.entry(format!("{}.{}", name.schema, name.table)).or_default();
            columns.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
            let mut filtered = Default::default();
            let _ = scan.filters.iter().try_for_each(|filter| expr_to_columns(filter, &mut filtered));
            columns.extend(filtered.into_iter().map(|column| column.name));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}
