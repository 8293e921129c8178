//! What goes in: nothing. What comes out: the tables of the schema `course`: who takes part in the course, what they have
//! handed in, and what it was worth.

use arrow_schema::DataType::{Date32, Int32};

use crate::shared::day;
use crate::table::Classification::{Identifier, Name, RawText};
use crate::table::{Column, Table};

/// A text, so that policies can mask it and compare it with an attribute of a user.
const TRAINEE: Column =
    Column::text("trainee_id", "Number of the trainee, which is in their notebooks.").classified(Identifier);
const COHORT: Column = Column::text("cohort", "Name of the cohort.");
const MODULE: Column = Column::text("module", "Module of the course, as its folder is called.");
const LEVEL: Column = Column::text("level", "basic, intermediate or advanced.");
/// Whoever guesses the number and has the file can make it, as all numbers and the empty exercise can be tried.
const SUBMISSION: Column =
    Column::text("submission_id", "SHA-256 of cohort, trainee, module and file, in lower-case hexadecimal.")
        .classified(Identifier);
const POINTS: Column = Column::new("points", Int32, false, "Points that were reached.");
const OF_POINTS: Column = Column::new("of_points", Int32, false, "Points that there are.");

pub(crate) const COHORTS: Table = Table {
    name: "cohorts",
    comment: "One cohort: trainees who take the course together.",
    columns: &[
        COHORT,
        Column::text("title", "What the cohort is called."),
        day("starts_on", "First day of the course."),
        Column::new("ends_on", Date32, true, "Last day of the course; null where it is not known."),
    ],
    key: &["cohort"],
    sort: &["cohort"],
};

pub(crate) const TRAINEES: Table = Table {
    name: "trainees",
    comment: "One trainee.",
    columns: &[
        TRAINEE,
        Column::maybe_text("name", "The trainee's name; null where it is kept elsewhere.").classified(Name),
    ],
    key: &["trainee_id"],
    sort: &["trainee_id"],
};

pub(crate) const ENROLMENTS: Table = Table {
    name: "enrolments",
    comment: "One trainee in one cohort.",
    columns: &[COHORT, TRAINEE, day("enrolled_on", "Day on which the trainee was enrolled.")],
    key: &["cohort", "trainee_id"],
    sort: &["cohort", "trainee_id"],
};

pub(crate) const MODULES: Table = Table {
    name: "modules",
    comment: "One module of the course, as it was when a cohort was last created.",
    columns: &[
        MODULE,
        Column::text("title", "Its title."),
        LEVEL,
        Column::new("minutes", Int32, false, "How long its lesson takes."),
        Column::new("questions", Int32, false, "Number of its questions."),
        OF_POINTS,
        Column::new("pass_points", Int32, false, "Points with which it is passed."),
    ],
    key: &["module"],
    sort: &["module"],
};

pub(crate) const SUBMISSIONS: Table = Table {
    name: "submissions",
    comment: "One file that was handed in. Its content lies in the folder of the training office.",
    columns: &[
        SUBMISSION,
        COHORT,
        TRAINEE,
        MODULE,
        Column::new("attempt", Int32, false, "Its number among those of the trainee for the module, from 1."),
        day("handed_in_on", "Day on which it was handed in."),
        // The trainee's number is in the file.
        Column::text("file_sha256", "SHA-256 of the file, in lower-case hexadecimal.").classified(Identifier),
        Column::new("file_bytes", Int32, false, "Size of the file."),
    ],
    key: &["submission_id"],
    sort: &["cohort", "trainee_id", "module", "attempt"],
};

pub(crate) const GRADES: Table = Table {
    name: "grades",
    comment: "What one submission was worth.",
    columns: &[
        SUBMISSION,
        COHORT,
        TRAINEE,
        MODULE,
        Column::text("outcome", "graded, or refused where the file was no exercise that could be run."),
        POINTS,
        OF_POINTS,
        Column::text("isolation", "What kept the run apart from the machine: namespaces, or none."),
        Column::maybe_text("notes", "What an instructor should know, a line each; null where there is nothing.")
            .classified(RawText),
    ],
    key: &["submission_id"],
    sort: &["cohort", "trainee_id", "module"],
};

pub(crate) const MARKS: Table = Table {
    name: "marks",
    comment: "What one answer was worth.",
    columns: &[
        SUBMISSION,
        COHORT,
        TRAINEE,
        MODULE,
        Column::text("question", "The question."),
        POINTS,
        OF_POINTS,
        // A message can quote the trainee's query and their data.
        Column::maybe_text("says", "What the trainee was told; null where the answer is right.").classified(RawText),
    ],
    key: &["submission_id", "question"],
    sort: &["cohort", "trainee_id", "module", "question"],
};

pub(crate) const CERTIFICATES: Table = Table {
    name: "certificates",
    comment: "One level that a trainee has passed and has a certificate for.",
    columns: &[TRAINEE, LEVEL, COHORT, POINTS, OF_POINTS, day("issued_on", "Day on which the certificate was given.")],
    key: &["trainee_id", "level"],
    sort: &["trainee_id", "level"],
};
