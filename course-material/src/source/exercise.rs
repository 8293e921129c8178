//! The blocks of an exercise page, to its questions: what is answered, checked, hinted at, and often got wrong.

use super::blocks::{Block, Complaint, fields};
use haetae_check::Order;

/// One thing to be solved.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// `q1`, `q2` …: name of the saved query, or of the frame.
    pub name: String,
    /// The query that solves it, or whose result a frame must have.
    pub solution: String,
    /// The Rust expression that solves it, where the answer is a frame.
    pub rust: Option<String>,
    /// What a right answer is worth.
    pub points: u32,
    /// Columns that tell rows apart.
    pub key: Vec<String>,
    /// How the rows have to be ordered.
    pub order: Vec<Order>,
    /// Rounding that is allowed.
    pub decimals: Option<u8>,
    /// Typical wrong answers and what is said of them.
    pub traps: Vec<(String, String)>,
    /// How many hints there are.
    pub hints: usize,
    /// Line of the answer.
    pub line: usize,
}

/// The questions of a page, in order.
///
/// # Errors
/// All that is wrong with its blocks.
pub fn questions(blocks: &[Block]) -> Result<Vec<Question>, Vec<Complaint>> {
    let mut questions: Vec<Question> = Vec::new();
    let mut complaints = Vec::new();
    let mut hints = 0;
    for block in blocks {
        let done = match block.kind.as_str() {
            "hint" => {
                hints += 1;
                text_in(block)
            }
            "answer" => answer(block, &mut questions, std::mem::take(&mut hints)),
            "right" => right(block, &mut questions),
            "check" => check(block, &mut questions),
            "trap" => trap(block, &mut questions),
            "cell" => text_in(block),
            _ => Ok(()),
        };
        complaints.extend(done.err());
    }
    for question in questions.iter().filter(|question| question.points == 0) {
        let remedy = format!("Add a block `check {}` with a line `points: 1`", question.name);
        complaints.push((question.line, format!("nothing checks {}", question.name), remedy));
    }
    for question in questions.iter().filter(|question| question.solution.is_empty()) {
        let remedy = format!("Add a block `right {}` with the query whose result the frame must have", question.name);
        complaints.push((question.line, format!("nothing says what is right for {}", question.name), remedy));
    }
    for question in questions.iter().filter(|question| question.hints == 0) {
        let remedy = "Put a block `hint` in front of the answer".to_owned();
        complaints.push((question.line, format!("{} has no hint", question.name), remedy));
    }
    if !(3..=6).contains(&questions.len()) {
        let what = format!("the page has {} questions, expected 3 to 6", questions.len());
        complaints.push((1, what, "Split the lesson, or add a block `answer`".to_owned()));
    }
    if complaints.is_empty() { Ok(questions) } else { Err(complaints) }
}

fn text_in(block: &Block) -> Result<(), Complaint> {
    if block.body.trim().is_empty() {
        return Err((block.line, format!("the block `{}` is empty", block.kind), "Write it, or take it out".into()));
    }
    Ok(())
}

fn answer(block: &Block, questions: &mut Vec<Question>, hints: usize) -> Result<(), Complaint> {
    text_in(block)?;
    let expected = format!("q{}", questions.len() + 1);
    let (name, is_rust) = block.name.strip_suffix(" rust").map_or((block.name.as_str(), false), |name| (name, true));
    if name != expected {
        let what = format!("expected the answer {expected}, found `{}`", block.name);
        return Err((block.line, what, "Number answers q1, q2, q3 in their order".to_owned()));
    }
    let body = block.body.trim();
    questions.push(Question {
        name: expected,
        solution: if is_rust { String::new() } else { query(body) },
        rust: is_rust.then(|| body.to_owned()),
        points: 0,
        key: Vec::new(),
        order: Vec::new(),
        decimals: None,
        traps: Vec::new(),
        hints,
        line: block.line,
    });
    Ok(())
}

/// A query without the sign that ends it.
fn query(text: &str) -> String {
    text.trim().trim_end_matches(';').to_owned()
}

/// The query whose result a frame must have.
fn right(block: &Block, questions: &mut [Question]) -> Result<(), Complaint> {
    text_in(block)?;
    let question = named(block, questions)?;
    if question.rust.is_none() {
        let what = format!("{} is answered by a query, which says what is right", block.name);
        return Err((block.line, what, format!("Take the block out, or write `answer {} rust`", block.name)));
    }
    question.solution = query(&block.body);
    Ok(())
}

/// The question that a block speaks of.
fn named<'a>(block: &Block, questions: &'a mut [Question]) -> Result<&'a mut Question, Complaint> {
    questions.iter_mut().find(|question| question.name == block.name).ok_or_else(|| {
        let what = format!("there is no answer `{}` above this `{}`", block.name, block.kind);
        (block.line, what, "Name an answer that stands above it".to_owned())
    })
}

fn check(block: &Block, questions: &mut [Question]) -> Result<(), Complaint> {
    let question = named(block, questions)?;
    let lines: Vec<&str> = block.body.lines().collect();
    for (key, (line, value)) in fields(&lines, block.line + 1)? {
        let list = || value.split(',').map(str::trim).filter(|word| !word.is_empty());
        let number = |what: &str| {
            let what = format!("expected a number as {what}, found `{value}`");
            (line, what, "Write a small whole number".to_owned())
        };
        match key.as_str() {
            "points" => question.points = value.parse().map_err(|_| number("points"))?,
            "decimals" => question.decimals = Some(value.parse().map_err(|_| number("decimals"))?),
            "key" => question.key = list().map(str::to_owned).collect(),
            "order" => {
                question.order = list()
                    .map(|word| match word.strip_suffix(" desc") {
                        Some(column) => Order { column: column.trim().to_owned(), descending: true },
                        None => Order { column: word.to_owned(), descending: false },
                    })
                    .collect();
            }
            other => {
                let remedy = "A check knows points, key, order and decimals".to_owned();
                return Err((line, format!("a check has no field `{other}`"), remedy));
            }
        }
    }
    Ok(())
}

fn trap(block: &Block, questions: &mut [Question]) -> Result<(), Complaint> {
    let question = named(block, questions)?;
    let parts = block.body.split_once("\n---\n").and_then(|(says, query)| Some((says.strip_prefix("says:")?, query)));
    let Some((says, wrong)) = parts else {
        let remedy = "Write `says: …`, a line `---`, and the wrong query".to_owned();
        return Err((block.line, "a trap has no advice, or no query".to_owned(), remedy));
    };
    let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
    let wrong = query(wrong);
    if says.is_empty() || wrong.is_empty() {
        return Err((block.line, "the trap is empty".to_owned(), "Write the advice and the wrong query".to_owned()));
    }
    question.traps.push((wrong, says));
    Ok(())
}
