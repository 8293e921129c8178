//! Texts that are no model: what the library would follow out of its lists, or would end the process of, is refused.

use haetae_features::FeatureMatrix;
use haetae_models::LightGbmModel;

use crate::lightgbm::params;
use crate::lightgbm_refusals::half;

#[test]
fn text_that_is_no_model() {
    let (features, target) = half(40);
    let model = params().trees(3).fit(&features, &target).unwrap();
    let text = model.text();
    let end = text.find("\nend of trees").unwrap();
    for (wrong, reason) in [
        ("", "expected it to begin with `tree` and `version=v4`"),
        ("{\"tree\": 1}", "expected it to begin with `tree` and `version=v4`"),
        (&text[..end], "expected the line `end of trees`; the text was cut off"),
        (&text.replace("feature_names=", "names="), "expected a line `feature_names=`"),
    ] {
        let error = LightGbmModel::from_text(wrong).unwrap_err();
        assert_eq!(error.to_string(), format!("not a saved LightGBM model: {reason}"));
    }
    for wrong in ["num_class=1", "tree_sizes=", "feature_names=x"] {
        let text = text.replace(wrong, &format!("feature_names=x y\nwas_{wrong}"));
        assert!(LightGbmModel::from_text(&text).is_err(), "{text}");
    }
    assert!(LightGbmModel::from_text(&text.replace("tree\nversion", "tree\nversion=v4\nx\0")).is_err());
}

/// The text with another value behind a name, in the first line that has it.
fn with_line(text: &str, name: &str, value: &str) -> String {
    let from = text.find(&format!("\n{name}=")).unwrap() + name.len() + 2;
    let to = from + text[from..].find('\n').unwrap();
    let changed = format!("{}{value}{}", &text[..from], &text[to..]);
    // The first tree is as long as it says again.
    if from < text.find("\nTree=0").unwrap() {
        return changed;
    }
    let sizes: Vec<&str> = text.lines().find_map(|line| line.strip_prefix("tree_sizes=")).unwrap().split(' ').collect();
    let first = sizes[0].parse::<usize>().unwrap() + value.len() - (to - from);
    changed.replacen(&format!("tree_sizes={}", sizes[0]), &format!("tree_sizes={first}"), 1)
}

#[test]
fn text_that_the_library_would_follow_out_of_its_lists() {
    // Three leaves a tree by categories and numbers.
    let code: Vec<f64> = (0..1800).map(|row| f64::from(row % 9)).collect();
    let x: Vec<f64> = (0..1800).map(|row| f64::from(row * 37 % 90)).collect();
    let target = (0..1800).map(|row| f64::from(row % 9 == 1 || row % 9 == 5 || (row % 9 == 7 && row * 37 % 90 > 40)));
    let target: Vec<f64> = target.collect();
    let names = ["code", "x"].map(str::to_owned).to_vec();
    let features = FeatureMatrix::new(names, vec![code, x], vec![true, false]).unwrap();
    let model = params().trees(2).leaves(3).fit(&features, &target).unwrap();
    let text = model.text();
    assert!(text.contains("num_leaves=3\nnum_cat=1") || text.contains("num_leaves=3\nnum_cat=2"), "{text}");
    assert_eq!(LightGbmModel::from_text(text).unwrap().text(), text);
    let stumps = params().trees(2).fit(&half(3).0, &half(3).1).unwrap();
    assert!(LightGbmModel::from_text(stumps.text()).is_ok(), "{}", stumps.text());
    for (name, value, reason) in [
        ("num_class", "0", "expected as many trees in each round as classes, and one at least"),
        ("num_class", "2", "expected as many trees in each round"),
        ("num_tree_per_iteration", "0", "expected as many trees in each round"),
        ("num_tree_per_iteration", "one", "`num_tree_per_iteration`: `one` is no number of it"),
        ("objective", "multiclass num_class:100", "expected as many classes in `objective` as in `num_class`"),
        ("objective", "multiclass num_class:1 num_class:100", "expected as many classes in `objective`"),
        ("objective", "multiclass :num_class:100", "expected as many classes in `objective`"),
        ("objective", "", "expected a name in `objective`"),
        ("objective", " ", "expected a name in `objective`"),
        ("num_class", "1\n=num_tree_per_iteration", "expected a name before `=`"),
        ("tree_sizes", "5 5", "tree 0: expected `Tree=`, lines and air"),
        ("tree_sizes", "18446744073709551615 2", "tree 0 is not as long as `tree_sizes` says"),
        ("tree_sizes", "", "expected the line `end of trees` behind the last tree"),
        ("num_leaves", "0", "tree 0: expected a leaf at least"),
        ("num_leaves", "2000000000", "tree 0: expected a value for each leaf"),
        ("num_leaves", "-1", "tree 0: `num_leaves`: `-1` is no number of it"),
        ("is_linear", "1", "tree 0: leaves with linear models are not read"),
        ("left_child", "1 7", "tree 0: node "),
        ("left_child", "0 -1", "tree 0: node "),
        ("left_child", "-9 -1", "tree 0: node "),
        ("left_child", "1", "tree 0: expected 2 numbers in `left_child`"),
        ("right_child", "-9223372036854775808 -1", "tree 0: node "),
        ("split_feature", "0 2", "tree 0: it splits on a feature that the model does not have"),
        ("split_feature", "-1 0", "tree 0: it splits on a feature"),
        ("threshold", "9 9", "tree 0: it splits in a way that there is not"),
        ("decision_type", "99 2", "tree 0: it splits in a way"),
        ("cat_boundaries", "0 99 99", "tree 0: its sets of categories are none"),
        ("shrinkage", "much", "tree 0: `shrinkage`: `much` is no number of it"),
        ("internal_weight", "1", "tree 0: expected 2 numbers in `internal_weight`"),
        ("leaf_weight", "1 2 nan", "tree 0: `leaf_weight`: expected finite numbers, found NaN"),
        ("leaf_count", "1 2 3\nthreshold", "tree 0: expected `=` in each line"),
        ("cat_threshold", "", "tree 0: its sets of categories are none"),
        ("leaf_value", "1 2 3\nleaf_value=1 2 3", "tree 0: `leaf_value=` stands twice"),
        ("leaf_value", "1 2 3\n\nshrinkage=1", "tree 0: expected at most 22 lines, and nothing behind them"),
    ] {
        let error = LightGbmModel::from_text(&with_line(text, name, value)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("not a saved LightGBM model: {reason}")), "{name}={value}: {error}");
    }
    let linear = LightGbmModel::from_text(&text.replace("[linear_tree: 0]", "[linear_tree: 1]")).unwrap_err();
    assert_eq!(linear.to_string(), "not a saved LightGBM model: leaves with linear models are not read");
    // Without a tree the lines behind them would be read as those before.
    let none = with_line(text, "tree_sizes", "").split("\nTree=0").next().unwrap().to_owned();
    let none = LightGbmModel::from_text(&format!("{none}\nend of trees\nnum_tree_per_iteration=0\n")).unwrap_err();
    assert_eq!(none.to_string(), "not a saved LightGBM model: expected a tree");
    // Behind the trees lines begin with the names of features.
    let names = ["Tree", "num_leaves"].map(str::to_owned).to_vec();
    let columns = vec![features.column(0).to_vec(), features.column(1).to_vec()];
    let both: Vec<f64> = (0..1800).map(|row| f64::from(columns[0][row] > 4.0 && columns[1][row] > 40.0)).collect();
    let named = FeatureMatrix::new(names, columns, vec![false, false]).unwrap();
    let model = params().trees(2).leaves(3).fit(&named, &both).unwrap();
    let lines = |name: &str| model.text().matches(name).count();
    assert_eq!((lines("\nTree="), lines("\nnum_leaves=")), (3, 3), "{}", model.text());
    let again = LightGbmModel::from_text(model.text()).unwrap();
    assert_eq!((again.trees(), again.leaf_counts()), (2, vec![3, 3]));
    assert_eq!(again.leaves(&named).unwrap(), model.leaves(&named).unwrap());
}
