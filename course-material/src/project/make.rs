//! A name, a day and a server with all findings, to the two folders of a project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::template::fill;
use crate::error::{Error, Result};
use crate::grade::{Limits, Runner};
use crate::notebook;
use crate::source::Course;

/// What a project is to be.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its name: small letters, digits and `-`.
    pub name: String,
    /// Lines declared from this day on are private, `2021-01-01`.
    pub cut: String,
    /// The folder in which both folders are made.
    pub folder: PathBuf,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The folder for trainees.
    pub public: PathBuf,
    /// The folder that the instructor keeps.
    pub private: PathBuf,
    /// Findings in the first.
    pub public_findings: usize,
    /// Findings in the second.
    pub private_findings: usize,
}

/// Of all findings; `{cut}` is the day. One text, so that one message carries it.
const FINDINGS: &str = r#"
let findings = sql("select found.declaration_id, found.item_no, found.inspection_date, found.fraud, found.fraud_class, found.additional_duty_krw,
    case when item.declaration_date < '{cut}' then 'public' else 'private' end as part
    from fact_inspection found join fact_item item using (declaration_id, item_no)
    order by found.declaration_id, found.item_no")?;
{
    let mut columns = Vec::new();
    for name in ["part", "declaration_id", "item_no", "inspection_date", "fraud", "fraud_class", "additional_duty_krw"] {
        columns.push(findings.texts(name)?);
    }
    let lines: Vec<String> =
        (0..findings.height()).map(|row| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(",")).collect();
    println!("{}", lines.join("\n"));
}"#;
const HEAD: &str = "declaration_id,item_no,inspection_date,fraud,fraud_class,additional_duty_krw\n";
/// Some two million findings.
const MOST: u64 = 100 << 20;

/// Makes a project. `NAME` has the notebook, the rubric, the page of the report and the findings that trainees may see;
/// `NAME-private` has the others.
///
/// # Errors
/// A name or a day of another form, a folder that is there already, a part without findings; what the server or the file
/// system says.
pub fn make(course: &Course, order: &Order, runner: &Runner) -> Result<Made> {
    check(order)?;
    let Some(template) = course.projects.iter().find(|one| one.name == "project") else {
        return Err(refused("the course has no page project/project.md; take it from the repository".to_owned()));
    };
    let public = order.folder.join(&order.name);
    let private = order.folder.join(format!("{}-private", order.name));
    if let Some(there) = [&public, &private].into_iter().find(|path| path.exists()) {
        return Err(refused(format!("{} is there already; choose another name, or move it away", there.display())));
    }
    let limits = Limits { cell: Duration::from_secs(120), output: MOST, ..Limits::default() };
    let said = runner.printed(&FINDINGS.replace("{cut}", &order.cut), &limits)?;
    let part = |name: &str| -> Vec<&str> {
        said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(',')).collect()
    };
    let (seen, kept) = (part("public"), part("private"));
    if seen.is_empty() || kept.is_empty() {
        return Err(refused(format!(
            "{} findings before {} and {} from then on: both parts need some; choose a day between the first and the last",
            seen.len(),
            order.cut,
            kept.len()
        )));
    }
    let findings = |lines: &[&str]| format!("{HEAD}{}\n", lines.join("\n"));
    let cells = template.cells(&order.name, &order.cut);
    // First, so that there is no project without them.
    write(&private.join("findings.csv"), &findings(&kept))?;
    write(&public.join("project.ipynb"), &notebook::text(&order.name, "project", "en", &cells)?)?;
    write(&public.join("rubric.md"), &fill(&course.project_pages.rubric, &order.name, &order.cut))?;
    write(&public.join("report.md"), &fill(&course.project_pages.report, &order.name, &order.cut))?;
    write(&public.join("data/fact_inspection.csv"), &findings(&seen))?;
    Ok(Made { public, private, public_findings: seen.len(), private_findings: kept.len() })
}

fn refused(reason: String) -> Error {
    Error::Project { reason }
}

fn check(order: &Order) -> Result<()> {
    let name = &order.name;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(good) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(refused(format!("expected a name of small letters, digits and `-`, as air-cargo, found `{name}`")));
    }
    let day = order.cut.as_bytes();
    let is_day = day.len() == 10
        && day
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    if !is_day {
        return Err(refused(format!("expected a day such as 2021-01-01, found `{}`", order.cut)));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io)?;
    fs::write(path, text).map_err(io)
}
