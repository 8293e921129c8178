//! What a check says in general words, and a language, to a sentence. One table: a text that lacks a language does not
//! compile, and one that lacks a part of the English one fails the tests.

use serde::{Deserialize, Serialize};

/// The language in which a check speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `ko`
    #[serde(rename = "ko")]
    Korean,
    /// `ru`
    #[serde(rename = "ru")]
    Russian,
}

impl Language {
    /// The language with this code.
    pub fn of(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "ko" => Some(Self::Korean),
            "ru" => Some(Self::Russian),
            _ => None,
        }
    }

    /// English, which a sealed check does not name.
    pub(crate) fn is_english(&self) -> bool {
        *self == Self::English
    }
}

macro_rules! says {
    ($($name:ident [$english:expr, $korean:expr, $russian:expr])*) => {
        /// A text that a check may say. What stands in braces is filled in.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Says { $($name),* }

        impl Says {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The text in a language, as it stands in the table.
            pub const fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (Self::$name, Language::English) => $english,
                        (Self::$name, Language::Korean) => $korean,
                        (Self::$name, Language::Russian) => $russian,
                    )*
                }
            }
        }
    };
}

says! {
    Right [
        "Exercise {exercise}: right.",
        "실습 {exercise}: 맞았습니다.",
        "Упражнение {exercise}: верно."
    ]
    NotYet [
        "Exercise {exercise}, not yet: {finding}",
        "실습 {exercise}, 아직 아닙니다: {finding}",
        "Упражнение {exercise}, пока не верно: {finding}"
    ]
    StillTheQuery [
        "the cell above still holds the example line; write your query there and run it",
        "위의 셀에 예시 줄이 그대로 있습니다. 그 자리에 쿼리를 쓰고 실행하십시오",
        "в ячейке выше всё ещё стоит строка-пример; напишите там свой запрос и выполните её"
    ]
    StillTheCode [
        "the cell above still holds the example line; write your code there and run it",
        "위의 셀에 예시 줄이 그대로 있습니다. 그 자리에 코드를 쓰고 실행하십시오",
        "в ячейке выше всё ещё стоит строка-пример; напишите там свой код и выполните её"
    ]
    NoAnswer [
        "there is no answer yet: run the cell that begins with `%%sql --save {exercise}`",
        "아직 답이 없습니다. `%%sql --save {exercise}`로 시작하는 셀을 실행하십시오",
        "ответа ещё нет: выполните ячейку, которая начинается с `%%sql --save {exercise}`"
    ]
    NoTrainee [
        "there is no trainee yet: run the cells at the top of this notebook first",
        "아직 교육생 번호가 없습니다. 먼저 이 노트북의 맨 위 셀들을 실행하십시오",
        "номера слушателя ещё нет: сначала выполните ячейки в начале этого блокнота"
    ]
    BadTrainee [
        "expected one whole number from 1 to {last} as trainee_no; mend the cell with your number",
        "trainee_no는 1부터 {last}까지의 정수 하나여야 합니다. 번호가 있는 셀을 고치십시오",
        "trainee_no должно быть одним целым числом от 1 до {last}; исправьте ячейку со своим номером"
    ]
    OtherCheck [
        "this is the check of {other}; take the cell from a fresh copy of the exercise",
        "이것은 {other}의 검사입니다. 실습의 새 사본에서 셀을 가져오십시오",
        "это проверка вопроса {other}; возьмите ячейку из свежей копии упражнения"
    ]
    FarTooMany [
        "your answer has more than {most} rows, and that is far too many",
        "답의 행이 {most}개가 넘습니다. 너무나 많습니다",
        "в вашем ответе строк больше {most}, это слишком много"
    ]
    OnOtherData [
        "on the data of another trainee it is not right: {finding}. Is a number or a name in your query that you took from a result?",
        "다른 교육생의 데이터에서는 맞지 않습니다: {finding}. 결과에서 옮겨 적은 수나 이름이 쿼리에 있습니까?",
        "на данных другого слушателя ответ не верен: {finding}. Нет ли в запросе числа или названия, взятого из результата?"
    ]
    MissingColumn [
        "the column {missing} is missing; your answer has {found}. Give a column its name with `as`",
        "{missing} 열이 없습니다. 답에 있는 열: {found}. 열의 이름은 `as`로 붙입니다",
        "не хватает столбца {missing}; в вашем ответе есть {found}. Имя столбцу даёт `as`"
    ]
    MissingColumns [
        "the columns {missing} are missing; your answer has {found}. Give a column its name with `as`",
        "다음 열들이 없습니다: {missing}. 답에 있는 열: {found}. 열의 이름은 `as`로 붙입니다",
        "не хватает столбцов {missing}; в вашем ответе есть {found}. Имя столбцу даёт `as`"
    ]
    NoColumns ["none", "없음", "ни одного"]
    ExtraColumns [
        "the task does not ask for {extra}; take out what is not needed",
        "과제가 묻지 않은 열이 있습니다: {extra}. 필요 없는 것은 빼십시오",
        "в задании нет {extra}; уберите лишнее"
    ]
    NoRows [
        "your answer has no rows; one of your conditions keeps everything out",
        "답에 행이 없습니다. 조건 가운데 하나가 모든 행을 뺍니다",
        "в вашем ответе нет строк; одно из условий не пропускает ничего"
    ]
    TooMany [
        "your answer has {rows} rows, and that is too many; is a condition missing, or a grouping?",
        "답의 행이 {rows}개인데, 너무 많습니다. 조건이나 묶기가 빠졌습니까?",
        "строк в вашем ответе: {rows}, это слишком много; не пропущено ли условие или группировка?"
    ]
    TooFew [
        "your answer has {rows} rows, and that is too few; which rows do your conditions keep out?",
        "답의 행이 {rows}개인데, 너무 적습니다. 쓰신 조건이 어느 행을 뺍니까?",
        "строк в вашем ответе: {rows}, это слишком мало; какие строки не пропускают ваши условия?"
    ]
    Repeated [
        "there should be one row for each {key}, but {example} stands there more than once",
        "{key}마다 한 행이어야 하는데, {example}이(가) 두 번 이상 있습니다",
        "на каждое значение {key} должна быть одна строка, а {example} встречается больше одного раза"
    ]
    Stranger [
        "one row does not belong there: that with {key} {example}",
        "들어 있으면 안 되는 행이 하나 있습니다: {key} {example}",
        "одна строка здесь лишняя: та, где {key} — {example}"
    ]
    Strangers [
        "{rows} rows do not belong there, for instance that with {key} {example}",
        "들어 있으면 안 되는 행이 {rows}개 있습니다. 예를 들면 {key} {example}",
        "лишних строк: {rows}; например, та, где {key} — {example}"
    ]
    Kind [
        "`{column}` should hold {expected}, and holds {found}",
        "`{column}` 열에는 {expected}이(가) 있어야 하는데 {found}이(가) 있습니다",
        "в `{column}` должно стоять: {expected}, а стоит: {found}"
    ]
    CodesAreText [
        ". Codes are text: a number loses the zeros at its front",
        ". 부호는 글자입니다. 수로 쓰면 앞의 0이 없어집니다",
        ". Коды — это текст: число теряет нули в начале"
    ]
    Nothing ["nothing", "빈 값(null)", "ничего (null)"]
    Number ["a number", "수", "число"]
    Text ["text", "글자", "текст"]
    Values [
        "the rows are the right ones, but `{column}` is wrong in {rows} of {of}",
        "행은 맞지만 `{column}`의 값이 {of}개 가운데 {rows}개에서 틀렸습니다",
        "строки верные, но `{column}` неверно; таких строк {rows} из {of}"
    ]
    Hundredfold [
        ": it is 100 times too large. A fraction, or percent?",
        ": 100배 큽니다. 비율입니까, 퍼센트입니까?",
        ": в 100 раз больше, чем нужно. Доля или проценты?"
    ]
    Hundredth [
        ": it is 100 times too small. A fraction, or percent?",
        ": 100배 작습니다. 비율입니까, 퍼센트입니까?",
        ": в 100 раз меньше, чем нужно. Доля или проценты?"
    ]
    TimesPower [
        ": it is off by a power of ten. Look at the units",
        ": 10의 거듭제곱만큼 어긋났습니다. 단위를 보십시오",
        ": ошибка на степень десяти. Посмотрите на единицы"
    ]
    Nulls [
        ": nothing (null) stands where a value should",
        ": 값이 있어야 할 곳에 빈 값(null)이 있습니다",
        ": там, где должно стоять значение, ничего нет (null)"
    ]
    NotNulls [
        ": a value stands where nothing (null) should",
        ": 빈 값(null)이 있어야 할 곳에 값이 있습니다",
        ": там, где должно быть пусто (null), стоит значение"
    ]
    Sign [
        ": it has the wrong sign. Which is taken away from which?",
        ": 부호가 반대입니다. 무엇에서 무엇을 뺍니까?",
        ": знак неверный. Что из чего вычитается?"
    ]
    SomeRows [
        "{rows} of {of} rows are not right",
        "{of}개 가운데 {rows}개의 행이 맞지 않습니다",
        "неверных строк: {rows} из {of}"
    ]
    LargestFirst [
        "the rows are right, their order is not: the largest `{column}` comes first",
        "행은 맞지만 순서가 틀렸습니다. `{column}`이(가) 가장 큰 것이 먼저입니다",
        "строки верные, а порядок нет: первым идёт наибольшее значение `{column}`"
    ]
    SmallestFirst [
        "the rows are right, their order is not: the smallest `{column}` comes first",
        "행은 맞지만 순서가 틀렸습니다. `{column}`이(가) 가장 작은 것이 먼저입니다",
        "строки верные, а порядок нет: первым идёт наименьшее значение `{column}`"
    ]
}

impl Says {
    /// The text with its parts filled in: name and value of each.
    pub fn with(self, language: Language, parts: &[(&str, &str)]) -> String {
        let mut whole = String::new();
        let mut rest = self.text(language);
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, behind)) = behind.split_once('}') else { break };
            whole.push_str(before);
            whole.push_str(parts.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
            rest = behind;
        }
        whole + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const OTHERS: [(Language, char, char); 2] = [(Language::Korean, '가', '힣'), (Language::Russian, 'а', 'я')];

    fn parts(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_text_says_the_same_parts_in_every_language() {
        for says in Says::ALL {
            let english = parts(says.text(Language::English));
            for (language, from, to) in OTHERS {
                let text = says.text(language);
                assert_eq!(parts(text), english, "{says:?} in {language:?}");
                assert!(text.chars().any(|c| (from..=to).contains(&c)), "{says:?} is not {language:?}: {text}");
            }
        }
    }

    #[test]
    fn parts_are_filled_in_once() {
        let said = Says::NotYet.with(Language::English, &[("exercise", "q1"), ("finding", "{exercise}")]);
        assert_eq!(said, "Exercise q1, not yet: {exercise}");
    }
}
