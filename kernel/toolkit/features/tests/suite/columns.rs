//! What every kind of feature makes of the values of its columns.

use haetae_features::{DECLARATION_KEY, FeatureBuilder, FeatureMatrix};
use polars::prelude::*;

use crate::data::{Random, assert_close, days, feature};

const NAN: f64 = f64::NAN;

/// Features of the rows that they were fitted on; every row is of a day of its own.
fn transform(builder: &FeatureBuilder, frame: &DataFrame) -> FeatureMatrix {
    let dated = dated(frame);
    builder.fit(&dated, "fraud", "day").unwrap().transform(&dated).unwrap()
}

fn dated(frame: &DataFrame) -> DataFrame {
    let height = frame.height();
    let mut dated = frame.clone();
    dated.with_column(days(&(0..height as i32).collect::<Vec<_>>())).unwrap();
    dated.with_column(Column::new("fraud".into(), vec![false; height])).unwrap();
    dated
}

#[test]
fn numbers_stay_and_nulls_become_nan() {
    let mut frame = df!(
        "mass" => [Some(1.5), None, Some(-2.0)],
        "items" => [Some(3_i64), Some(-4), None],
        "express" => [Some(true), Some(false), None],
    )
    .unwrap();
    frame.with_column(days(&[0, 18_262, -1]).with_name("arrived".into())).unwrap();
    let builder = FeatureBuilder::new().numeric("mass").numeric("items").numeric("express").numeric("arrived");
    let matrix = transform(&builder, &frame);
    assert_close("mass", feature(&matrix, "mass"), &[1.5, NAN, -2.0], 0.0);
    assert_close("items", feature(&matrix, "items"), &[3.0, -4.0, NAN], 0.0);
    assert_close("express", feature(&matrix, "express"), &[1.0, 0.0, NAN], 0.0);
    assert_close("arrived", feature(&matrix, "arrived"), &[0.0, 18_262.0, -1.0], 0.0);
    assert!((0..4).all(|column| !matrix.is_categorical(column)));
}

#[test]
fn a_moment_is_a_number_of_days_in_any_unit() {
    for (unit, per_second) in
        [(TimeUnit::Milliseconds, 1_000), (TimeUnit::Microseconds, 1_000_000), (TimeUnit::Nanoseconds, 1_000_000_000)]
    {
        let noon = |day: i64| (day * 86_400 + 43_200) * per_second;
        let column = Column::new("released".into(), [Some(noon(18_262)), None, Some(noon(-1))]);
        let column = column.cast(&DataType::Datetime(unit, None)).unwrap();
        let matrix = transform(&FeatureBuilder::new().numeric("released"), &DataFrame::new(3, vec![column]).unwrap());
        assert_close("released", matrix.column(0), &[18_262.5, NAN, -0.5], 1e-15);
    }
}

#[test]
fn ratios_and_logarithms_are_missing_where_they_have_no_value() {
    let frame = df!(
        "price" => [Some(10.0), Some(10.0), None, Some(0.0), Some(-0.5), Some(5.0)],
        "mass" => [Some(4.0), Some(0.0), Some(2.0), Some(0.0), Some(2.0), None],
    )
    .unwrap();
    let matrix = transform(&FeatureBuilder::new().ratio("price", "mass").log("price"), &frame);
    assert_close("ratio", feature(&matrix, "price_per_mass"), &[2.5, NAN, NAN, NAN, -0.25, NAN], 0.0);
    let logs = [11_f64.ln(), 11_f64.ln(), NAN, 0.0, NAN, 6_f64.ln()];
    assert_close("log", feature(&matrix, "log_price"), &logs, 1e-15);
}

#[test]
fn a_comparison_is_of_values_and_missing_where_one_is() {
    let frame = df!(
        "origin" => [Some("CN"), Some("CN"), None, Some("KR"), Some("DE")],
        "departure" => [Some("CN"), Some("HK"), Some("CN"), None, Some("FR")],
        "declared" => [Some(1.0), Some(2.0), Some(-0.0), None, Some(0.1)],
        "found" => [Some(1_i64), Some(1), Some(0), Some(4), Some(0)],
        "nothing" => [None::<&str>, None, None, None, None],
    )
    .unwrap();
    let builder = FeatureBuilder::new().same("origin", "departure").same("declared", "found").same("nothing", "origin");
    let matrix = transform(&builder, &frame);
    assert_close("text", feature(&matrix, "origin_is_departure"), &[1.0, 0.0, NAN, NAN, 0.0], 0.0);
    // -0 and 0 are one number, whole or not.
    assert_close("numbers", feature(&matrix, "declared_is_found"), &[1.0, 0.0, 1.0, NAN, 0.0], 0.0);
    assert_close("nulls", feature(&matrix, "nothing_is_origin"), &[NAN; 5], 0.0);
}

#[test]
fn categories_are_codes_in_the_order_of_the_sorted_values() {
    let train = dated(
        &df!(
            "mode" => [Some("sea"), Some("air"), None, Some("post"), Some("air")],
            "office" => [Some(100_i64), Some(20), Some(3), None, Some(20)],
        )
        .unwrap(),
    );
    let builder = FeatureBuilder::new().categorical("mode").categorical("office");
    let fitted = builder.fit(&train, "fraud", "day").unwrap();
    let matrix = fitted.transform(&train).unwrap();
    assert_close("text", feature(&matrix, "mode"), &[2.0, 0.0, NAN, 1.0, 0.0], 0.0);
    // By number: as text, 100 would come before 20.
    assert_close("numbers", feature(&matrix, "office"), &[2.0, 1.0, 0.0, NAN, 1.0], 0.0);
    assert!(matrix.is_categorical(0) && matrix.is_categorical(1) && !matrix.is_categorical(2));

    let later = dated(&df!("mode" => ["rail", "sea", "se"], "office" => [Some(4.0), Some(20.0), None]).unwrap());
    let matrix = fitted.transform(&later).unwrap();
    assert_close("unseen text", feature(&matrix, "mode"), &[NAN, 2.0, NAN], 0.0);
    assert_close("unseen numbers", feature(&matrix, "office"), &[NAN, 1.0, NAN], 0.0);
}

#[test]
fn codes_do_not_depend_on_the_order_of_rows() {
    let mut modes: Vec<String> = (0..40).map(|i| format!("mode {}", i % 13)).collect();
    let codes = |modes: &[String]| {
        let matrix = transform(&FeatureBuilder::new().categorical("mode"), &df!("mode" => modes).unwrap());
        let mut codes: Vec<(String, u64)> =
            modes.iter().cloned().zip(matrix.column(0).iter().map(|code| *code as u64)).collect();
        codes.sort();
        codes
    };
    let expected = codes(&modes);
    Random::new(5).shuffle(&mut modes);
    assert_eq!(codes(&modes), expected);
    assert_eq!(expected.iter().map(|(_, code)| code).max(), Some(&12));
}

#[test]
fn a_prefix_counts_characters_and_keeps_shorter_text_whole() {
    let train = dated(&df!("hs6" => ["640399", "640391", "64", "0101", "가나다"]).unwrap());
    let builder = FeatureBuilder::new().prefix("head", "hs6", 2).categorical("head").count(&["head"]);
    assert_eq!(builder.names(), ["head", "rows_by_head"]);
    let fitted = builder.fit(&train, "fraud", "day").unwrap();
    let matrix = fitted.transform(&train).unwrap();
    assert_close("codes", feature(&matrix, "head"), &[1.0, 1.0, 1.0, 0.0, 2.0], 0.0);
    assert_close("counts", feature(&matrix, "rows_by_head"), &[0.0, 1.0, 2.0, 0.0, 0.0], 0.0);

    let mut later = df!("hs6" => [Some("가나"), Some("6"), Some("010"), None]).unwrap();
    later.with_column(days(&[100; 4])).unwrap();
    let matrix = fitted.transform(&later).unwrap();
    assert_close("later codes", feature(&matrix, "head"), &[2.0, NAN, 0.0, NAN], 0.0);
    assert_close("later counts", feature(&matrix, "rows_by_head"), &[1.0, 0.0, 1.0, 0.0], 0.0);
}

#[test]
fn neither_target_nor_rows_are_needed_for_scoring() {
    let train = dated(&df!("mode" => ["sea", "air"], "mass" => [1.0, 2.0]).unwrap());
    let builder = FeatureBuilder::new().categorical("mode").numeric("mass").history(&["mode"], 1.0);
    let fitted = builder.fit(&train, "fraud", "day").unwrap();
    let with = fitted.transform(&train).unwrap();
    let without = fitted.transform(&train.drop("fraud").unwrap()).unwrap();
    assert_close("values", without.values(), with.values(), 0.0);
    let none = fitted.transform(&train.head(Some(0))).unwrap();
    assert_eq!((none.rows(), none.columns(), none.values().len()), (0, 3, 0));
    assert_eq!(none.names(), builder.names());
}

#[test]
fn a_column_of_nothing_but_nulls_may_have_any_type() {
    let train = dated(&df!("seller" => ["s", "t"], "origin" => ["CN", "KR"]).unwrap());
    let builder = FeatureBuilder::new().categorical("seller").count(&["seller"]).same("seller", "origin");
    let fitted = builder.fit(&train, "fraud", "day").unwrap();
    for nulls in
        [Column::full_null("seller".into(), 2, &DataType::Null), Column::new("seller".into(), [None::<f64>, None])]
    {
        let mut later = train.clone();
        later.with_column(nulls).unwrap();
        let matrix = fitted.transform(&later).unwrap();
        assert_close("category", feature(&matrix, "seller"), &[NAN, NAN], 0.0);
        assert_close("count", feature(&matrix, "rows_by_seller"), &[0.0, 0.0], 0.0);
        assert_close("comparison", feature(&matrix, "seller_is_origin"), &[NAN, NAN], 0.0);
    }
}

/// The columns of `fact_item` that the two ready lists name.
fn items(rows: usize) -> DataFrame {
    let text = [
        "office_id",
        "process_type",
        "import_type",
        "import_use",
        "payment_type",
        "transport_mode",
        "declarant_id",
        "importer_id",
        "seller_id",
        "courier_id",
        "hs6",
        "departure_country",
        "origin_country",
        "tariff_type",
        "origin_mark",
    ];
    let mut random = Random::new(9);
    let mut columns = vec![days(&(0..rows as i32).collect::<Vec<_>>()).with_name("declaration_date".into())];
    for name in text {
        let values: Vec<String> = (0..rows).map(|_| format!("{:06}", random.below(4) * 30_101)).collect();
        columns.push(Column::new(name.into(), values));
    }
    for name in ["duty_rate", "net_mass_kg", "item_price_krw"] {
        columns.push(Column::new(name.into(), (0..rows).map(|_| 1.0 + random.below(3) as f64).collect::<Vec<_>>()));
    }
    columns.push(Column::new("fraud".into(), (0..rows).map(|_| random.one_in(3)).collect::<Vec<_>>()));
    DataFrame::new(rows, columns).unwrap()
}

#[test]
fn the_ready_lists_need_only_the_columns_of_an_item() {
    let items = items(60);
    let (clearance, plain) = (FeatureBuilder::clearance(), FeatureBuilder::plain());
    assert_eq!((clearance.names().len(), clearance.rate_names().len(), plain.names().len()), (25, 18, 18));
    let key = format!("rate_by_{}", DECLARATION_KEY.join("_x_"));
    for name in ["rate_by_importer_id", "rate_by_hs4", "rate_by_hs2", key.as_str()] {
        assert!(clearance.rate_names().iter().any(|known| known == name), "{name}");
    }
    let matrix = clearance.fit(&items, "fraud", "declaration_date").unwrap().transform(&items).unwrap();
    assert_eq!((matrix.rows(), matrix.names()), (60, &clearance.names()[..]));
    assert!((0..25).all(|column| !matrix.is_categorical(column)));
    let matrix = plain.fit(&items, "fraud", "declaration_date").unwrap().transform(&items).unwrap();
    assert_eq!((0..18).filter(|&column| matrix.is_categorical(column)).count(), 16);
    // Four values were drawn for each code: a plain model sees them and nothing of the labels.
    assert_eq!(feature(&matrix, "office_id").iter().copied().fold(0.0, f64::max), 3.0);
    assert!(plain.rate_names().is_empty());
}

#[test]
fn a_fitted_builder_names_the_columns_that_it_reads() {
    let rows = 6;
    let words = |word: &str| (0..rows).map(|row| format!("{word}{}", row % 3)).collect::<Vec<String>>();
    let mut frame = df!("fraud" => vec![false; rows], "idle" => vec![1.0; rows]).unwrap();
    frame.with_column(days(&(0..rows as i32).collect::<Vec<_>>())).unwrap();
    for name in ["hs6", "importer", "office", "origin", "departure"] {
        frame.with_column(Column::new(name.into(), words(name))).unwrap();
    }
    for name in ["price", "mass", "rate", "tax"] {
        frame.with_column(Column::new(name.into(), vec![2.0; rows])).unwrap();
    }
    let builder = FeatureBuilder::new().prefix("hs2", "hs6", 2).history(&["hs2"], 1.0).count(&["importer", "rate"]);
    let builder = builder.categorical("office").same("origin", "departure").ratio("price", "mass").log("tax");
    let fitted = builder.deviation("price", "mass", &["importer"]).fit(&frame, "fraud", "day").unwrap();
    let columns = fitted.columns();
    assert_eq!(columns, ["day", "departure", "hs6", "importer", "mass", "office", "origin", "price", "rate", "tax"]);
    // They are enough, and none of them can be left out.
    let narrow = frame.select(columns.iter().map(String::as_str)).unwrap();
    let (all, of_narrow) = (fitted.transform(&frame).unwrap(), fitted.transform(&narrow).unwrap());
    assert_close("narrow", of_narrow.values(), all.values(), 0.0);
    for column in &columns {
        assert!(fitted.transform(&narrow.drop(column).unwrap()).is_err(), "{column}");
    }
}
