//! What goes in: persons as draws. What comes out: rows of `dim_person`: made-up names, dates of birth, addresses.

use super::parties::{Parties, Person};
use crate::columns::{by_id, iso, maybe, table, text};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::names::region_name;
use crate::rng::mix;
use crate::world::World;

/// Syllables in Latin and Korean letters.
type Syllable = (&'static str, &'static str);

const SURNAMES: [Syllable; 24] = [
    ("Kim", "김"),
    ("Lee", "이"),
    ("Park", "박"),
    ("Choi", "최"),
    ("Jung", "정"),
    ("Kang", "강"),
    ("Cho", "조"),
    ("Yoon", "윤"),
    ("Jang", "장"),
    ("Lim", "임"),
    ("Han", "한"),
    ("Oh", "오"),
    ("Seo", "서"),
    ("Shin", "신"),
    ("Kwon", "권"),
    ("Hwang", "황"),
    ("Ahn", "안"),
    ("Song", "송"),
    ("Yoo", "유"),
    ("Hong", "홍"),
    ("Jeon", "전"),
    ("Ko", "고"),
    ("Moon", "문"),
    ("Bae", "배"),
];
const GIVEN: [Syllable; 28] = [
    ("min", "민"),
    ("seo", "서"),
    ("ji", "지"),
    ("hyun", "현"),
    ("jun", "준"),
    ("young", "영"),
    ("soo", "수"),
    ("jin", "진"),
    ("hye", "혜"),
    ("kyung", "경"),
    ("woo", "우"),
    ("sung", "성"),
    ("ho", "호"),
    ("eun", "은"),
    ("mi", "미"),
    ("jae", "재"),
    ("dong", "동"),
    ("hee", "희"),
    ("sang", "상"),
    ("tae", "태"),
    ("ah", "아"),
    ("yeon", "연"),
    ("chul", "철"),
    ("kwang", "광"),
    ("in", "인"),
    ("ha", "하"),
    ("won", "원"),
    ("bin", "빈"),
];
/// The same in Latin and Cyrillic letters; surnames as men bear them.
const RUSSIAN: [Syllable; 8] = [
    ("Ivanov", "Иванов"),
    ("Smirnov", "Смирнов"),
    ("Volkov", "Волков"),
    ("Petrov", "Петров"),
    ("Sokolov", "Соколов"),
    ("Lebedev", "Лебедев"),
    ("Kozlov", "Козлов"),
    ("Orlov", "Орлов"),
];
const RUSSIAN_GIVEN: [Syllable; 8] = [
    ("Aleksandr", "Александр"),
    ("Sergey", "Сергей"),
    ("Dmitry", "Дмитрий"),
    ("Andrey", "Андрей"),
    ("Mikhail", "Михаил"),
    ("Nikolay", "Николай"),
    ("Pavel", "Павел"),
    ("Viktor", "Виктор"),
];
const LATIN: [&str; 10] =
    ["Wang Wei", "Li Na", "Zhang Min", "Chen Jie", "Liu Yang", "Zhao Lei", "Yang Fan", "Wu Hao", "Zhou Ting", "Sun Qi"];

/// Nationality, name in Latin letters, name in the letters of the country.
fn name(seed: u64, number: usize, person: &Person) -> (&'static str, String, Option<String>) {
    let nation = mix(seed, 220, u64::from(person.origin), 0) % 1_000;
    let family = mix(seed, 221, u64::from(person.surname), 0) as usize;
    let own = mix(seed, 222, number as u64, 0) as usize;
    let (own, second) = (own % 9_973, own / 9_973);
    match nation {
        0..940 => {
            // Few surnames are frequent, most are rare: the square of a draw leans to the first ones.
            let drawn = (family % 10_000) as f64 / 10_000.0;
            let (surname, surname_hangul) = SURNAMES[(drawn * drawn * SURNAMES.len() as f64) as usize];
            let (one, one_hangul) = GIVEN[own % GIVEN.len()];
            let (two, two_hangul) = GIVEN[second % GIVEN.len()];
            let mut first = one.to_owned();
            if let Some(letter) = first.get_mut(..1) {
                letter.make_ascii_uppercase();
            }
            ("KR", format!("{surname} {first}-{two}"), Some(format!("{surname_hangul}{one_hangul}{two_hangul}")))
        }
        940..965 => {
            let (surname, cyrillic) = RUSSIAN[family % RUSSIAN.len()];
            let (given, given_cyrillic) = RUSSIAN_GIVEN[own % RUSSIAN_GIVEN.len()];
            ("RU", format!("{given} {surname}"), Some(format!("{given_cyrillic} {cyrillic}")))
        }
        _ => ("CN", LATIN[own % LATIN.len()].to_owned(), None),
    }
}

/// Street, number and floor for a key; `kind` keeps those of persons and companies apart.
pub fn address(seed: u64, kind: u64, key: u32) -> String {
    const ONE: [&str; 16] = [
        "Hangang",
        "Sejong",
        "Jong",
        "Toegye",
        "Eulji",
        "Teheran",
        "Dosan",
        "Namdaemun",
        "Gukje",
        "Haean",
        "Jungang",
        "Songdo",
        "Gwangbok",
        "Dongbaek",
        "Seohae",
        "Nambu",
    ];
    let h = mix(seed, 230, kind, u64::from(key));
    let street = ONE[h as usize % ONE.len()];
    let place = |shift: u32, below: u64| 1 + (h >> shift) % below;
    format!("{} {street}-daero {}-gil, {}-{}F", place(8, 999), place(20, 99), place(32, 99), place(44, 30))
}

/// A number of `digits` digits for a key, no two alike.
pub fn digits(seed: u64, kind: u64, key: u32, digits: u32) -> u64 {
    let all = 10u64.pow(digits);
    // 7 919 447 has no factor in common with 10.
    (u64::from(key) * 7_919_447 + mix(seed, 231, kind, 0) % all) % all
}

/// A telephone number for a key.
pub fn phone(seed: u64, kind: u64, prefix: &str, key: u32) -> String {
    let number = digits(seed, kind, key, 8);
    format!("{prefix}-{:04}-{:04}", number / 10_000, number % 10_000)
}

/// Hands `dim_person` to the sink.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, parties: &Parties, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let seed = world.seed;
    let order = by_id(parties.persons.len(), |i| parties.person_id(i as u32));
    table(sink, "dim_person", &order, |some| {
        let persons = || some.iter().map(|&i| &parties.persons[i]);
        let named: Vec<_> = some.iter().map(|&i| name(seed, i, &parties.persons[i])).collect();
        vec![
            text(some.iter().map(|&i| parties.person_id(i as u32))),
            text(named.iter().map(|(_, name, _)| name)),
            maybe(named.iter().map(|(_, _, local)| local.as_deref())),
            text(named.iter().map(|(nation, _, _)| nation)),
            text(persons().map(|person| iso(person.born))),
            text(persons().map(|person| region_name(person.region))),
            text(persons().map(|person| address(seed, 1, person.home))),
            text(some.iter().map(|&i| phone(seed, 1, "010", i as u32))),
        ]
    })
}
