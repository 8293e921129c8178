//! What goes in: the tab-separated files of `datasets/reference`, built into the program. What comes
//! out: typed rows.

use crate::error::SynthError;

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../reference/", $name)))
    };
}

/// One chapter of the Harmonized System, with how its goods are usually traded.
#[derive(Debug)]
pub struct Chapter {
    /// Two digits.
    pub hs2: &'static str,
    /// Share of all lines, per mille.
    pub weight: f64,
    /// Usual duty rates as fractions; one that is given twice is twice as likely.
    pub rates: Vec<f64>,
    /// Middle price, in KRW a kilogram.
    pub krw_per_kg: f64,
    /// Middle net mass of a line by sea, in kg.
    pub sea_kg: f64,
    /// Share of lines by air.
    pub air: f64,
    /// Unit of quantity.
    pub unit: &'static str,
    /// Middle mass of one unit, in kg.
    pub kg_per_unit: f64,
}

/// One line of business.
#[derive(Debug)]
pub struct Industry {
    /// Name.
    pub name: &'static str,
    /// Chapters it trades in, as indices; one that is given twice is twice as likely.
    pub chapters: Vec<usize>,
}

/// One customs office.
#[derive(Debug)]
pub struct Office {
    /// Number.
    pub id: &'static str,
    /// Share of all lines, per mille.
    pub weight: f64,
    /// `sea port`, `airport` or `inland`.
    pub kind: &'static str,
    /// Name.
    pub name: &'static str,
}

/// One country.
#[derive(Debug)]
pub struct Country {
    /// ISO alpha-2 code.
    pub code: &'static str,
    /// Share of all lines as origin, per mille; 0: known, not traded with.
    pub weight: f64,
    /// Price level against the mean.
    pub price_level: f64,
    /// Agreements that give it a preference: (tariff type, first day, last day) as day indices.
    pub agreements: Vec<(&'static str, i32, i32)>,
    /// Name.
    pub name: &'static str,
}

/// All reference files, each list sorted by its key.
#[derive(Debug)]
pub struct Reference {
    /// Chapters.
    pub chapters: Vec<Chapter>,
    /// Industries.
    pub industries: Vec<Industry>,
    /// Offices.
    pub offices: Vec<Office>,
    /// Countries.
    pub countries: Vec<Country>,
    /// Subheadings: (six digits, index of the chapter, short text).
    pub subheadings: Vec<(&'static str, usize, &'static str)>,
}

/// Fields of one line, with what a message needs to point at it.
struct Line {
    file: &'static str,
    number: usize,
    text: &'static str,
}

impl Line {
    fn fail(&self, expected: &'static str) -> SynthError {
        SynthError::Reference { file: self.file, line: self.number, expected, found: self.text.to_owned() }
    }

    fn fields<const N: usize>(&self, expected: &'static str) -> Result<[&'static str; N], SynthError> {
        let fields: Vec<&'static str> = self.text.split('\t').collect();
        fields.try_into().map_err(|_| self.fail(expected))
    }

    fn number(&self, text: &str) -> Result<f64, SynthError> {
        text.parse().map_err(|_| self.fail("a number"))
    }
}

fn lines((file, text): (&'static str, &'static str)) -> impl Iterator<Item = Line> {
    text.lines().enumerate().skip(1).map(move |(i, text)| Line { file, number: i + 1, text })
}

impl Reference {
    /// Reads the built-in files.
    ///
    /// # Errors
    /// A line that does not have the columns of its file.
    pub fn load() -> Result<Self, SynthError> {
        let chapters = lines(file!("hs2.tsv")).map(|l| chapter(&l)).collect::<Result<Vec<_>, _>>()?;
        let index = |hs2: &str| chapters.binary_search_by(|c| c.hs2.cmp(hs2)).ok();
        let industries = lines(file!("industries.tsv"))
            .map(|l| {
                let [name, list] = l.fields("industry, chapters")?;
                let chapters = list.split(' ').map(|c| index(c).ok_or_else(|| l.fail("known chapters")));
                Ok(Industry { name, chapters: chapters.collect::<Result<_, _>>()? })
            })
            .collect::<Result<Vec<_>, SynthError>>()?;
        let mut offices = lines(file!("offices.tsv")).map(|l| office(&l)).collect::<Result<Vec<_>, _>>()?;
        offices.sort_by_key(|o| o.id);
        let mut countries = lines(file!("countries.tsv")).map(|l| country(&l)).collect::<Result<Vec<_>, _>>()?;
        countries.sort_by_key(|c| c.code);
        let subheadings = lines(file!("hs6.tsv"))
            .map(|l| {
                let [hs6, text] = l.fields("hs6, description")?;
                let chapter = hs6.get(..2).and_then(index).ok_or_else(|| l.fail("a known chapter"))?;
                Ok((hs6, chapter, text))
            })
            .collect::<Result<Vec<_>, SynthError>>()?;
        Ok(Self { chapters, industries, offices, countries, subheadings })
    }
}

fn chapter(l: &Line) -> Result<Chapter, SynthError> {
    let [hs2, weight, rates, price, sea, air, unit, unit_mass, _name] = l.fields("nine columns")?;
    let rates = rates.split('|').map(|r| Ok(l.number(r)? / 100.0)).collect::<Result<Vec<_>, SynthError>>()?;
    Ok(Chapter {
        hs2,
        weight: l.number(weight)?,
        rates,
        krw_per_kg: l.number(price)?,
        sea_kg: l.number(sea)?,
        air: l.number(air)?,
        unit,
        kg_per_unit: l.number(unit_mass)?,
    })
}

fn office(l: &Line) -> Result<Office, SynthError> {
    let [id, weight, kind, name] = l.fields("office_id, weight, kind, name")?;
    Ok(Office { id, weight: l.number(weight)?, kind, name })
}

fn country(l: &Line) -> Result<Country, SynthError> {
    let [code, weight, level, agreements, name] = l.fields("country_code, weight, price_level, agreements, name")?;
    // `FEU1-2020` ends with the year 2020, `FGB1+2021` begins with 2021, `-` alone is no agreement.
    let span = |text: &'static str| match (text.strip_suffix("-2020"), text.strip_suffix("+2021")) {
        (Some(name), _) => (name, 0, crate::calendar::DAY_2021 - 1),
        (_, Some(name)) => (name, crate::calendar::DAY_2021, i32::MAX),
        _ => (text, 0, i32::MAX),
    };
    let agreements = agreements.split(',').filter(|a| *a != "-").map(span).collect();
    Ok(Country { code, weight: l.number(weight)?, price_level: l.number(level)?, agreements, name })
}
