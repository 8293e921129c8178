//! Pages in another language: complete, in order, and without code of their own.

use std::fs;
use std::path::Path;

use haetae_course::Course;
use haetae_course::error::Error;

const LESSON: &str = "---\ntitle: 두 줄\n---\n글.\n\n## 더\n\n```cell\n```\n";

fn question(name: &str) -> String {
    format!(
        "## 과제\n\n```hint\n보십시오.\n```\n\n```answer {name}\n```\n\n```check {name}\n```\n\n```trap {name}\nsays: 너무 많습니다.\n```\n"
    )
}

fn exercise() -> String {
    format!("---\ntitle: 두 줄\n---\n{}{}{}", question("q1"), question("q2"), question("q3"))
}

/// The course of the other tests, with a Korean module after a change to one of its pages.
fn course(file: &str, change: impl Fn(&str) -> String) -> Result<Course, Error> {
    let (folder, english) = super::course("-", str::to_owned);
    english.unwrap();
    fs::write(folder.path().join("languages"), "ko 01-lines\n").unwrap();
    for (name, text) in [("lesson.ko.md", LESSON.to_owned()), ("exercise.ko.md", exercise())] {
        let text = if name == file { change(&text) } else { text };
        fs::write(folder.path().join("modules/01-lines").join(name), text).unwrap();
    }
    Course::read(folder.path())
}

#[test]
fn texts_are_translated_and_code_is_that_of_the_english_page() {
    let course = course("-", str::to_owned).unwrap();
    let english = &course.modules[0];
    let korean = english.in_language("ko").unwrap();
    assert_eq!((korean.title.as_str(), korean.language), ("두 줄", "ko"));
    assert_eq!(korean.lesson[0].body, "글.");
    assert_eq!(korean.lesson[2].body, "%%sql\nselect 1");
    assert_eq!(korean.questions[0].solution, english.questions[0].solution);
    assert_eq!(korean.questions[0].points, 2);
    assert_eq!(korean.questions[0].traps, [("select 1 as lines".to_owned(), "너무 많습니다.".to_owned())]);
}

#[test]
fn what_is_missing_in_a_translation_is_named() {
    type Change = fn(&str) -> String;
    let cases: [(&str, Change, &str); 8] = [
        ("lesson.ko.md", |text| text.replace("title", "name"), "lesson.ko.md:1: the head has no `title`"),
        (
            "lesson.ko.md",
            |text| text.replace("## 더\n\n", ""),
            "lesson.ko.md:6: expected the text `## More…`, found a block `cell`",
        ),
        (
            "lesson.ko.md",
            |text| text.replace("```cell\n```\n", ""),
            "lesson.ko.md:6: the page ends before a block `cell`",
        ),
        ("lesson.ko.md", |text| format!("{text}\n끝.\n"), "lesson.ko.md:11: the text `끝.…` is not in lesson.md"),
        (
            "lesson.ko.md",
            |text| text.replace("```cell\n", "```cell\n%%sql\n"),
            "lesson.ko.md:8: a translation holds no code",
        ),
        (
            "exercise.ko.md",
            |text| text.replace("보십시오.\n", ""),
            "exercise.ko.md:6: the block is empty. Translate it",
        ),
        (
            "exercise.ko.md",
            |text| text.replacen("answer q1", "answer q2", 1),
            "expected a block `answer q1`, found a block `answer q2`",
        ),
        ("exercise.ko.md", |text| text.replace("습니다.\n", "습니다.\n---\nselect 2\n"), "a translation holds no code"),
    ];
    for (file, change, part) in cases {
        let error = course(file, change).map(|course| course.modules.len()).expect_err(part).to_string();
        assert!(error.contains(part), "expected `{part}` in:\n{error}");
    }
}

#[test]
fn our_translations_are_in_their_own_letters() {
    let course = Course::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut found = 0;
    for module in course.modules.iter().flat_map(|module| &module.translations) {
        let (from, to) = if module.language == "ko" { ('가', '힣') } else { ('а', 'я') };
        let texts =
            module.lesson.iter().chain(&module.exercise).filter(|block| ["", "trap"].contains(&block.kind.as_str()));
        for block in texts {
            assert!(super::has_letters(&block.body, from, to), "{} {}: {}", module.language, module.name, block.body);
            found += 1;
        }
    }
    assert!(found > 40, "{found} texts");
}
