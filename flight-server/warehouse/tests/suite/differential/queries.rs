//! A seed, to queries. Many have predicates that would fail on rows that nobody may see: a division
//! by zero, a number that does not fit, a text that is no number.

use rand::Rng;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

type Dice = ChaCha8Rng;

/// They hold on each row that somebody sees, and fail on the hidden ones.
pub const TRAPS: [&str; 5] = [
    "1 / (item_no - 7) <= 0",
    "cast(declaration_id as bigint) > 0",
    "cast(item_price_krw as smallint) >= 0",
    "cast(net_mass_kg as smallint) between 0 and 30000",
    "case when item_no > 0 then 10 / (item_no - 7) else 0 end < 10",
];

pub fn generate(seed: u64, count: usize) -> Vec<String> {
    let mut dice = Dice::seed_from_u64(seed);
    (0..count).map(|n| query(&mut dice, n % 12)).collect()
}

fn pick<'a>(dice: &mut Dice, of: &[&'a str]) -> &'a str {
    of.choose(dice).unwrap()
}

fn query(dice: &mut Dice, kind: usize) -> String {
    let filter = predicate(dice, 2);
    let key =
        pick(dice, &["office_id", "origin_country", "hs6", "importer_id", "seller_id", "tariff_type", "process_type"]);
    let measure = measure(dice);
    match kind {
        0 => format!("select {} from fact_item where {filter}", columns(dice)),
        1 => format!("select {key}, {measure} from fact_item where {filter} group by {key}"),
        2 => format!("select {measure} from fact_item where {filter}"),
        3 => {
            let join = pick(dice, &["join", "left join", "right join", "full join"]);
            let shown = pick(dice, &["p.fraud", "p.fraud_class", "p.inspection_date", "p.additional_duty_krw"]);
            format!(
                "select i.declaration_id, i.item_no, {shown} from (select * from fact_item where {filter}) i \
                 {join} fact_inspection p on i.declaration_id = p.declaration_id and i.item_no = p.item_no"
            )
        }
        4 => format!(
            "select d.name, d.region, count(*) as n, sum(i.item_price_krw) as v from fact_item i join dim_importer d \
             on i.importer_id = d.importer_id where {filter} group by d.name, d.region having count(*) > {}",
            dice.random_range(0..4)
        ),
        5 => {
            let not = pick(dice, &["", "not "]);
            let inner = inspection(dice);
            format!(
                "select declaration_id, item_no from fact_item i where {not}exists (select 1 from fact_inspection p \
                 where p.declaration_id = i.declaration_id and {inner}) and {filter}"
            )
        }
        6 => format!(
            "select declaration_id, item_no, {key}, row_number() over (partition by {key} order by declaration_id, item_no) \
             as r, sum(item_no) over (partition by {key}) as s from fact_item where {filter}"
        ),
        7 => format!(
            "select declaration_id, item_no, {key} from fact_item where {filter} order by declaration_id, item_no, {key} \
             limit {} offset {}",
            dice.random_range(1..20),
            dice.random_range(0..5)
        ),
        8 => {
            let set = pick(dice, &["union", "union all", "except", "intersect"]);
            let other = predicate(dice, 1);
            format!(
                "select {key} as k from fact_item where {filter} {set} select {key} as k from fact_item where {other}"
            )
        }
        9 => format!(
            "with c as (select {key} as k, {measure} from fact_item group by {key}) select count(*) as n, min(k) as k from c \
             where k in (select {key} from fact_item where {filter})"
        ),
        10 => {
            let group = pick(dice, &["fraud", "fraud_class", "item_no", "inspection_date"]);
            let inner = inspection(dice);
            format!(
                "select {group}, count(*) as n, sum(additional_duty_krw) as d from fact_inspection where {inner} group by {group}"
            )
        }
        _ => {
            let always = pick(
                dice,
                &[
                    "select * from dim_importer",
                    "select count(*) from fact_item",
                    "select count(*), max(item_no), min(item_price_krw), max(net_mass_kg) from fact_item",
                    "select max(declaration_id), max(item_no) from fact_inspection",
                    "select count(distinct name), max(registered_on) from dim_importer",
                    "select cast(seller_id as int) from fact_item",
                    "select declaration_id from fact_item where cast(seller_id as bigint) = 3",
                    "select region from dim_importer where cast(name as int) > 0",
                    "select max(item_price_krw) from fact_item where item_price_krw > (select avg(item_price_krw) from fact_item)",
                    "select a.office_id, count(*) from fact_item a join fact_item b using (office_id) group by a.office_id",
                    "with recursive r(n) as (select 1 union all select n + 1 from r where n < (select count(*) from fact_item)) \
                     select max(n) from r",
                    "select no_such_column from fact_item",
                ],
            );
            always.to_owned()
        }
    }
}

fn columns(dice: &mut Dice) -> String {
    let all = [
        "declaration_id",
        "item_no",
        "declaration_date",
        "office_id",
        "declarant_id",
        "importer_id",
        "seller_id",
        "hs6",
        "origin_country",
        "duty_rate",
        "net_mass_kg",
        "item_price_krw",
        "item_price_krw / item_no as price",
        "upper(tariff_type) as t",
        "coalesce(seller_id, 'none') as s",
        "length(hs6) as l",
    ];
    let count = dice.random_range(1..6);
    all.choose_multiple(dice, count).copied().collect::<Vec<_>>().join(", ")
}

fn measure(dice: &mut Dice) -> String {
    let all = [
        "count(*) as m",
        "sum(item_price_krw) as m",
        "min(declaration_date) as m",
        "max(seller_id) as m",
        "count(distinct importer_id) as m",
        "avg(item_price_krw) as m",
        "max(net_mass_kg) as m",
        "min(duty_rate) as m",
        "sum(case when hs6 > '010200' then item_no else 0 end) as m",
        "count(seller_id) as m",
        "max(1 / (item_no - 7)) as m",
    ];
    pick(dice, &all).to_owned()
}

fn predicate(dice: &mut Dice, depth: usize) -> String {
    if depth > 0 && dice.random_bool(0.6) {
        let (left, right) = (predicate(dice, depth - 1), predicate(dice, depth - 1));
        return match dice.random_range(0..5) {
            0 | 1 => format!("({left} and {right})"),
            2 | 3 => format!("({left} or {right})"),
            _ => format!("not ({left})"),
        };
    }
    let number = dice.random_range(0..9000);
    let letter = char::from(b'0' + dice.random_range(0..10));
    match dice.random_range(0..12) {
        0 => format!("office_id = '{}'", pick(dice, &["40", "30", "10", "99"])),
        1 => format!("origin_country in ('{}', 'VN')", pick(dice, &["CN", "DE"])),
        2 => format!("item_price_krw {} {number}", pick(dice, &["<", ">=", "<>"])),
        3 => format!("declaration_date {} date '2026-0{}-01'", pick(dice, &["<", ">="]), dice.random_range(1..10)),
        4 => "seller_id is null".to_owned(),
        5 => format!("hs6 like '01{}%'", dice.random_range(0..3)),
        6 => format!("importer_id > '{letter}'"),
        7 => format!("net_mass_kg between {} and {}", number % 100, number % 500),
        8 => "duty_rate > 0.05".to_owned(),
        9 => format!("extract(month from declaration_date) = {}", 1 + number % 12),
        _ => pick(dice, &TRAPS).to_owned(),
    }
}

fn inspection(dice: &mut Dice) -> String {
    let all = [
        "fraud",
        "fraud is null",
        "fraud_class > 0",
        "1 / (item_no - 7) <= 0",
        "item_no in (1, 2)",
        "additional_duty_krw > 5",
        "inspection_date < date '2026-12-15'",
        "cast(declaration_id as bigint) > 1010",
    ];
    pick(dice, &all).to_owned()
}
