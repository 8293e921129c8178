//! What the builder itself writes into notebooks, in each language.

/// Words of one language.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// Its code, as in file names.
    pub language: &'static str,
    /// Before the title of an exercise.
    pub exercise: &'static str,
    /// Level and length of a lesson: `{level}`, `{minutes}`.
    pub about: &'static str,
    /// The three levels.
    pub levels: [(&'static str, &'static str); 3],
    /// Above the trainee's number.
    pub your_data: &'static str,
    /// A comment beside that number: `{number}`.
    pub your_number: &'static str,
    /// Before the number of a hint.
    pub hint: &'static str,
    /// A comment over a check: `{question}`, `{points}`.
    pub check: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    exercise: "Exercise",
    about: "{level} level, about {minutes} minutes.",
    levels: [("basic", "Basic"), ("intermediate", "Intermediate"), ("advanced", "Advanced")],
    your_data: "Each trainee has data of their own: a part of the warehouse that your number chooses. Put your number into \
                the next cell and run it. The two cells below it cut out your part: run them, you need not read them.",
    your_number: "Your number in place of {number}:",
    hint: "Hint",
    check: "Checks {question} (points: {points}). Run it after your answer.",
};

const KOREAN: Words = Words {
    language: "ko",
    exercise: "실습",
    about: "{level} 과정, 약 {minutes}분.",
    levels: [("basic", "초급"), ("intermediate", "중급"), ("advanced", "고급")],
    your_data: "교육생마다 데이터가 다릅니다. 교육생 번호에 따라 웨어하우스의 일부가 배정됩니다. 다음 셀에 본인의 번호를 넣고 \
                실행하십시오. 그 아래 두 셀은 본인의 데이터를 잘라 냅니다. 읽지 않아도 되니 실행만 하십시오.",
    your_number: "{number} 대신 본인의 번호를 쓰십시오:",
    hint: "힌트",
    check: "{question} 검사 (배점 {points}). 답을 쓴 뒤 실행하십시오.",
};

const RUSSIAN: Words = Words {
    language: "ru",
    exercise: "Упражнение",
    about: "{level} уровень, около {minutes} минут.",
    levels: [("basic", "Базовый"), ("intermediate", "Средний"), ("advanced", "Продвинутый")],
    your_data: "У каждого слушателя свои данные: часть хранилища, которую выбирает ваш номер. Впишите свой номер в \
                следующую ячейку и выполните её. Две ячейки под ней вырезают вашу часть: их нужно выполнить, а читать не \
                обязательно.",
    your_number: "Ваш номер вместо {number}:",
    hint: "Подсказка",
    check: "Проверка {question} (баллов: {points}). Выполните её после ответа.",
};

/// The words of a language.
pub fn of(language: &str) -> Option<&'static Words> {
    [&ENGLISH, &KOREAN, &RUSSIAN].into_iter().find(|words| words.language == language)
}

/// English, in which every page is written first.
pub const fn english() -> &'static Words {
    &ENGLISH
}

impl Words {
    /// The level in this language.
    pub fn level(&self, level: &str) -> &'static str {
        self.levels.iter().find(|(name, _)| *name == level).map_or("", |(_, word)| word)
    }
}
