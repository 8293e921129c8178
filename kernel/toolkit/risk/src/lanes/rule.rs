//! A condition with a name, an owner and the days on which it holds.

use super::Lane;
use crate::Result;
use crate::error::refuse;
use polars::prelude::Expr;

/// One rule of a decision table. A null counts as no.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) text: String,
    pub(crate) condition: Expr,
    pub(crate) lane: Lane,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) advisory: bool,
    pub(crate) over: Vec<String>,
}

impl Rule {
    /// A rule that puts every item on which `condition` holds into `lane`; `owner` answers for it.
    ///
    /// ```
    /// use haetae_risk::{Lane, Rule};
    /// use polars::prelude::*;
    ///
    /// let rule = Rule::new("weapons", "security office", col("hs2").eq(lit("93")), Lane::Red)
    ///     .text("arms and ammunition are inspected")
    ///     .from("2026-01-01");
    /// # let _ = rule;
    /// ```
    pub fn new(name: &str, owner: &str, condition: Expr, lane: Lane) -> Self {
        Self {
            name: name.to_owned(),
            owner: owner.to_owned(),
            text: String::new(),
            condition,
            lane,
            from: None,
            to: None,
            advisory: false,
            over: Vec::new(),
        }
    }

    /// What the rule says, for reasons; its name unless said.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = text.to_owned();
        self
    }

    /// The first day on which it holds (`YYYY-MM-DD`).
    #[must_use]
    pub fn from(mut self, day: &str) -> Self {
        self.from = Some(day.to_owned());
        self
    }

    /// The last day on which it holds (`YYYY-MM-DD`).
    #[must_use]
    pub fn to(mut self, day: &str) -> Self {
        self.to = Some(day.to_owned());
        self
    }

    /// It is named among the reasons, and decides nothing.
    #[must_use]
    pub fn advisory(mut self) -> Self {
        self.advisory = true;
        self
    }

    /// Where both hold, this rule stands and the other of that name does not.
    #[must_use]
    pub fn over(mut self, rule: &str) -> Self {
        self.over.push(rule.to_owned());
        self
    }

    pub(crate) fn words(&self) -> String {
        let text = if self.text.is_empty() { &self.name } else { &self.text };
        format!("{text} (rule `{}`, {})", self.name, self.owner)
    }

    /// Whether it holds on a day. Days written `YYYY-MM-DD` are in order as texts.
    pub(crate) fn holds_on(&self, day: &str) -> bool {
        self.from.as_deref().is_none_or(|from| from <= day) && self.to.as_deref().is_none_or(|to| day <= to)
    }

    fn check(&self) -> Result<()> {
        let what = || format!("rule `{}`", self.name);
        if self.name.is_empty() || self.owner.is_empty() {
            return refuse(what(), "a name and an owner", format!("name `{}`, owner `{}`", self.name, self.owner));
        }
        for day in self.from.iter().chain(&self.to) {
            if haetae_features::parse_day(day).is_none() {
                return refuse(what(), "days such as 2026-03-01", format!("`{day}`"));
            }
        }
        match (&self.from, &self.to) {
            (Some(from), Some(to)) if from > to => {
                refuse(what(), "a first day that is not after the last", format!("{from} to {to}"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks rules by themselves and together.
pub(crate) fn check(rules: &[Rule]) -> Result<()> {
    for (place, rule) in rules.iter().enumerate() {
        rule.check()?;
        if rules[..place].iter().any(|before| before.name == rule.name) {
            return refuse("rules", "names that differ", format!("`{}` twice", rule.name));
        }
        for name in &rule.over {
            let Some(other) = rules.iter().find(|other| other.name == *name && name != &rule.name) else {
                let what = format!("rule `{}`, over", rule.name);
                return refuse(what, "the name of another rule", format!("`{name}`"));
            };
            // Also by way of third ones: in a ring none would stand.
            if reaches(rules, other, &rule.name) {
                let what = format!("rule `{}`, over", rule.name);
                return refuse(
                    what,
                    "one of two rules to stand over the other",
                    format!("`{name}` and it over one another"),
                );
            }
        }
    }
    Ok(())
}

/// Whether `from` stands over the rule of this name, directly or by way of others.
fn reaches(rules: &[Rule], from: &Rule, name: &str) -> bool {
    let (mut seen, mut next) = (vec![from.name.as_str()], 0);
    while let Some(place) = seen.get(next).copied() {
        next += 1;
        let below = rules.iter().filter(|rule| rule.name == place).flat_map(|rule| &rule.over);
        for below in below {
            if below == name {
                return true;
            }
            if !seen.contains(&below.as_str()) {
                seen.push(below);
            }
        }
    }
    false
}
