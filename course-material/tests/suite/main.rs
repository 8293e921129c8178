//! Sources that are well formed and sources that are not; notebooks that are the same each time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

mod ledger;
mod office;
mod project;
mod translation;

use haetae_course::build::{self, Form};
use haetae_course::error::Error;
use haetae_course::{Course, check};

const LESSON: &str =
    "---\ntitle: Two lines\nlevel: basic\nminutes: 5\n---\nText.\n\n## More\n\n```cell\n%%sql\nselect 1\n```\n";
const INSTRUCTOR: &str = "---\ntitle: Two lines\n---\nAdvice.\n";

fn question(name: &str) -> String {
    format!(
        "## Task\n\n```hint\nLook.\n```\n\n```answer {name}\nselect count(*) as lines from my_items;\n```\n\n\
         ```check {name}\npoints: 2\nkey: a, b\norder: lines desc, a\n```\n\n\
         ```trap {name}\nsays: Too\n  many.\n---\nselect 1 as lines\n```\n"
    )
}

fn exercise() -> String {
    format!("---\ntitle: Two lines\n---\n{}{}{}", question("q1"), question("q2"), question("q3"))
}

/// A course of one module, with a change to one of its files.
fn course(file: &str, change: impl Fn(&str) -> String) -> (tempfile::TempDir, Result<Course, Error>) {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("modules/01-lines");
    fs::create_dir_all(&module).unwrap();
    let slice = "%%sql --save my_items\nselect * from fact_item cross join trainee";
    for (name, text) in [
        ("slice.sql", slice.to_owned()),
        ("languages", String::new()),
        ("modules/01-lines/lesson.md", LESSON.to_owned()),
        ("modules/01-lines/exercise.md", exercise()),
        ("modules/01-lines/instructor.md", INSTRUCTOR.to_owned()),
    ] {
        let text = if name.ends_with(file) { change(&text) } else { text };
        fs::write(folder.path().join(name), text).unwrap();
    }
    let read = Course::read(folder.path());
    (folder, read)
}

fn ours() -> Course {
    Course::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn a_source_is_taken_apart() {
    let (_folder, course) = course("-", str::to_owned);
    let course = course.unwrap();
    let module = &course.modules[0];
    assert_eq!((module.title.as_str(), module.minutes, module.points()), ("Two lines", 5, 6));
    let pieces: Vec<(&str, usize)> = module.lesson.iter().map(|block| (block.body.as_str(), block.line)).collect();
    assert_eq!(pieces, [("Text.", 6), ("## More", 8), ("%%sql\nselect 1", 10)]);
    let question = &module.questions[0];
    assert_eq!(question.solution, "select count(*) as lines from my_items");
    assert_eq!(question.key, ["a", "b"]);
    assert!(question.order[0].descending && !question.order[1].descending);
    assert_eq!(question.traps, [("select 1 as lines".to_owned(), "Too many.".to_owned())]);
}

#[test]
fn an_answer_in_rust_is_a_frame_and_a_query_says_what_is_right() {
    let rust = |text: &str| {
        let right = "```right q1\nselect 1 as lines;\n```\n\n```check q1";
        let text = text.replacen(
            "```answer q1\nselect count(*) as lines from my_items;",
            "```answer q1 rust\nitems.head(None)",
            1,
        );
        text.replacen("```check q1", right, 1)
    };
    let (_folder, course) = course("exercise.md", rust);
    let course = course.unwrap();
    let module = &course.modules[0];
    assert!(module.needs_rust() && !ours().modules[0].needs_rust());
    assert_eq!(module.questions[0].solution, "select 1 as lines");
    let text = |form: Form, id: &str| {
        let cells = build::exercise(&course, module, form).unwrap();
        cells.into_iter().find(|cell| cell.id == id).unwrap().source
    };
    let solved = "let q1: DataFrame = {\n    // BEGIN SOLUTION\n    items.head(None)\n    // END SOLUTION\n};\nq1";
    assert_eq!(text(Form::Solution, "q1"), solved);
    assert_eq!(
        text(Form::Exercise, "q1"),
        "let q1: DataFrame = {\n    // YOUR CODE HERE\n    DataFrame::empty()\n};\nq1"
    );
    assert!(text(Form::Exercise, "q1-check").contains("::haetae::course::check_frame(\"q1\", &q1, \""));
    assert!(text(Form::Exercise, "q2-check").contains("course::check(\"q2\", \""));
}

#[test]
fn a_mistake_is_named_with_its_file_its_line_and_a_remedy() {
    type Change = fn(&str) -> String;
    let cases: [(&str, Change, &str); 22] = [
        ("lesson.md", |_| String::new(), "lesson.md:1: the file has no head. Begin it with"),
        ("lesson.md", |text| text.replace("---\nText", "Text"), "lesson.md:1: the head has no end"),
        ("lesson.md", |text| text.replace("level: basic\n", ""), "lesson.md:1: the head has no `level`"),
        ("lesson.md", |text| text.replace("basic", "easy"), "lesson.md:3: there is no level `easy`. Choose of basic"),
        ("lesson.md", |text| text.replace(": 5", ": long"), "lesson.md:4: expected minutes, found `long`"),
        ("lesson.md", |text| text.replace("select 1\n```", "select 1"), "lesson.md:10: the block `cell` has no end"),
        ("lesson.md", |text| text.replace("```cell", "```answer q1"), "lesson.md:10: a block `answer` has no place"),
        ("lesson.md", |text| text.replace("```cell", "```sql"), "lesson.md:1: the lesson has nothing to run"),
        ("instructor.md", |_| "---\ntitle: x\n---\n".into(), "instructor.md:1: the page is empty"),
        ("exercise.md", |text| text.replace("answer q2", "answer q5"), "expected the answer q2, found `q5`"),
        ("exercise.md", |text| text.replace("answer q2", "answer q2 rust"), "nothing says what is right for q2"),
        ("exercise.md", |text| text.replacen("trap q1", "right q1", 1), "q1 is answered by a query, which says what"),
        ("exercise.md", |text| text.replace("check q2", "check q7"), "there is no answer `q7` above this `check`"),
        ("exercise.md", |text| text.replace("points: 2", "points: two"), "exercise.md:15: expected a number as points"),
        ("exercise.md", |text| text.replace("key: a, b", "keys: a"), "exercise.md:16: a check has no field `keys`"),
        ("exercise.md", |text| text.replace("points: 2\n", ""), "nothing checks q1"),
        ("exercise.md", |text| text.replace("says:", "said:"), "exercise.md:20: a trap has no advice, or no query"),
        ("exercise.md", |text| text.replace("```hint\nLook.\n```\n", ""), "exercise.md:7: q1 has no hint"),
        ("slice.sql", |_| "select 1".into(), "slice.sql:1: expected saved queries"),
        ("languages", |_| "# all\nko\n".into(), "languages:2: expected a language and a module, found `ko`"),
        ("languages", |_| "ko 02-more\n".into(), "`ko 02-more`: there is no module of this name"),
        ("languages", |_| "ko 01-lines\n".into(), "lesson.ko.md: the translation is missing"),
    ];
    for (file, change, part) in cases {
        let (_folder, course) = course(file, change);
        let error = course.map(|course| course.modules.len()).expect_err(part).to_string();
        assert!(error.contains(part), "expected `{part}` in:\n{error}");
        assert!(error.lines().all(|line| line.matches(". ").count() >= 1), "no remedy:\n{error}");
    }
}

#[test]
fn modules_are_numbered_without_a_gap() {
    let (folder, _) = course("-", str::to_owned);
    fs::rename(folder.path().join("modules/01-lines"), folder.path().join("modules/03-lines")).unwrap();
    let error = Course::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("modules/03-lines: expected a folder 01-…"), "{error}");
}

#[test]
fn building_twice_gives_the_same_bytes_and_touches_nothing() {
    let course = ours();
    assert_eq!(build::files(&course).unwrap(), build::files(&ours()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let stray = folder.path().join("01-tour/old.ipynb");
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, "{}").unwrap();
    let written = build::write(&course, folder.path()).unwrap();
    let translations: usize = course.modules.iter().map(|module| module.translations.len()).sum();
    let examples = course.projects.len() - 1;
    assert_eq!(written.len(), 3 * course.modules.len() + 2 * translations + examples + 1);
    assert!(!stray.exists());
    assert_eq!(build::write(&course, folder.path()).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(check::stale(&course, folder.path()).unwrap(), []);
    fs::write(folder.path().join("01-tour/lesson.ipynb"), "{}").unwrap();
    let stale = check::stale(&course, folder.path()).unwrap();
    assert_eq!(stale.len(), 1);
    assert!(stale[0].to_string().contains("01-tour/lesson.ipynb: differs from its source. Run `haetae-course build`"));
}

#[test]
fn the_notebooks_of_the_repository_are_up_to_date() {
    let notebooks = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("notebooks/course");
    let stale: Vec<String> = check::stale(&ours(), &notebooks).unwrap().iter().map(ToString::to_string).collect();
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn what_is_given_out_holds_no_solution_and_no_hidden_test() {
    let course = ours();
    for module in course.modules.iter().flat_map(|module| std::iter::once(module).chain(&module.translations)) {
        let cells = build::exercise(&course, module, Form::Exercise).unwrap();
        let text: String = cells.iter().map(|cell| cell.source.as_str()).collect();
        assert!(!text.contains("SOLUTION") && !text.contains("HIDDEN") && !text.contains("check_for"));
        for question in &module.questions {
            for solution in question.rust.iter().chain([&question.solution]) {
                assert!(!text.contains(solution), "{} of {}", question.name, module.name);
            }
            for (_, says) in &question.traps {
                assert!(!text.contains(says));
            }
        }
    }
}

/// Between two letters of the Unicode block.
fn has_letters(text: &str, from: char, to: char) -> bool {
    text.chars().any(|letter| (from..=to).contains(&letter))
}

#[test]
fn the_glossary_has_each_term_once_and_in_three_languages() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/glossary.md");
    let page = fs::read_to_string(page).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("|--") && !line.starts_with("| term"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() > 50, "the table was not found");
    let mut terms = std::collections::BTreeSet::new();
    for row in rows {
        let [term, korean, russian, meaning] = row.as_slice() else { panic!("expected four cells: {row:?}") };
        assert!(terms.insert(term.to_owned()), "{term} stands there twice");
        assert!(has_letters(korean, '가', '힣'), "{term} has no Korean: {korean}");
        assert!(has_letters(russian, 'а', 'я'), "{term} has no Russian: {russian}");
        assert!(meaning.len() > 10, "{term} has no meaning");
    }
}

#[test]
fn the_guide_lists_each_module_as_it_is() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/guides/course.md");
    let guide = fs::read_to_string(guide).unwrap();
    for module in ours().modules {
        let name = &module.name;
        let start = format!("| [{name}](../../notebooks/course/{name}/lesson.ipynb) | {} | ", module.title);
        let end = format!(" | {} questions, {} points |", module.questions.len(), module.points());
        let row =
            guide.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row begins: {start}"));
        assert!(row.ends_with(&end), "expected{end} in: {row}");
    }
}
