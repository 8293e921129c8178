//! The text of a model that comes from a file -> nothing, or why the library must not be given it. The library believes
//! what stands there: with a child that is no node it would read, and with other sizes than it has been told it would
//! write, where nothing belongs to it; and where it refuses a tree, it ends the whole process.

use std::collections::BTreeMap;

type Sound<T = ()> = Result<T, String>;

/// More classes than any model of ours has.
const MOST_CLASSES: usize = 10_000;
/// Levels of a tree: the library goes down by calls, and for contributions it keeps the square of them.
const MOST_LEVELS: usize = 4096;
/// Lines of a tree that the library reads.
const MOST_LINES: usize = 22;

/// Of leaves with linear models.
const LINEAR: &str = "leaves with linear models are not read";

/// Trees whose every number is within what it points into.
pub(super) fn check(text: &str, features: usize) -> Sound {
    let end = text.find("\nend of trees\n").ok_or("expected the line `end of trees`")? + 1;
    if text[..end].contains('\r') {
        return Err("expected lines that end in a line feed alone".to_owned());
    }
    // The library has no contributions for a model that says so of itself, whatever its leaves are.
    let linear = |line: &str| line.starts_with("[linear_tree: ") && line != "[linear_tree: 0]";
    if text[end..].split(['\n', '\r']).any(linear) {
        return Err(LINEAR.to_owned());
    }
    // Without one the library would go on to read the lines behind the trees.
    let start = text[..end].find("\nTree=").ok_or("expected a tree")? + 1;
    let head = Lines::read(text[..start].lines().filter(|line| !line.is_empty() && *line != "tree"))?;
    let classes = head.number("num_class")?;
    if !(1..=MOST_CLASSES).contains(&classes) || head.number("num_tree_per_iteration")? != classes {
        return Err("expected as many trees in each round as classes, and one at least".to_owned());
    }
    if let Some(objective) = head.0.get("objective") {
        // It takes the first word, whether there is one or not, and of several numbers of classes the last.
        if objective.split(' ').next() == Some("") {
            return Err("expected a name in `objective`".to_owned());
        }
        let of_classes = format!("num_class:{classes}");
        if objective.split(' ').any(|word| word.contains("num_class") && word != of_classes) {
            return Err("expected as many classes in `objective` as in `num_class`".to_owned());
        }
    }
    let sizes: Vec<usize> = head.list("tree_sizes")?;
    if !sizes.len().is_multiple_of(classes) {
        return Err("expected whole rounds of trees".to_owned());
    }
    let mut from = start;
    for (number, size) in sizes.into_iter().enumerate() {
        let block = from.checked_add(size).filter(|to| *to <= end).and_then(|to| text.get(from..to));
        let block = block.ok_or_else(|| format!("tree {number} is not as long as `tree_sizes` says"))?;
        tree(block, features).map_err(|reason| format!("tree {number}: {reason}"))?;
        from += size;
    }
    if from == end { Ok(()) } else { Err("expected the line `end of trees` behind the last tree".to_owned()) }
}

fn tree(block: &str, features: usize) -> Sound {
    let body = block.strip_prefix("Tree=").and_then(|block| block.split_once('\n'));
    let (lines, air) = body.and_then(|(_, body)| body.split_once("\n\n")).ok_or("expected `Tree=`, lines and air")?;
    if !air.bytes().all(|byte| byte == b'\n') || lines.lines().count() > MOST_LINES {
        return Err(format!("expected at most {MOST_LINES} lines, and nothing behind them"));
    }
    // It looks for the next `=`, and would find that of another line.
    if lines.lines().any(|line| !line.contains('=')) {
        return Err("expected `=` in each line".to_owned());
    }
    let lines = Lines::read(lines.lines())?;
    let leaves = lines.number("num_leaves")?;
    let nodes = leaves.checked_sub(1).ok_or("expected a leaf at least")?;
    if lines.decimals("leaf_value")?.len() != leaves {
        return Err("expected a value for each leaf".to_owned());
    }
    if lines.0.get("is_linear").is_some_and(|linear| *linear != "0") {
        return Err(LINEAR.to_owned());
    }
    let sets = sets(&lines)?;
    for (name, count) in [
        ("shrinkage", 1),
        ("leaf_weight", leaves),
        ("split_gain", nodes),
        ("internal_value", nodes),
        ("internal_weight", nodes),
    ] {
        // What a tree of one leaf says of its nodes, and of the weight of its leaf, is nothing or not read.
        if lines.0.contains_key(name) && lines.decimals(name)?.len() != count && (nodes > 0 || name == "shrinkage") {
            return Err(format!("expected {count} numbers in `{name}`"));
        }
    }
    if nodes == 0 {
        return Ok(());
    }
    let of_nodes = |name: &str| -> Sound<Vec<i64>> {
        let list: Vec<i64> = lines.list(name)?;
        if list.len() == nodes { Ok(list) } else { Err(format!("expected {nodes} numbers in `{name}`")) }
    };
    let (left, right) = (of_nodes("left_child")?, of_nodes("right_child")?);
    shape(&left, &right)?;
    let outside = |feature: &i64| usize::try_from(*feature).map_or(true, |feature| feature >= features);
    if of_nodes("split_feature")?.iter().any(outside) {
        return Err("it splits on a feature that the model does not have".to_owned());
    }
    let thresholds = lines.decimals("threshold")?;
    if thresholds.len() != nodes {
        return Err(format!("expected {nodes} numbers in `threshold`"));
    }
    for (kind, threshold) in of_nodes("decision_type")?.into_iter().zip(thresholds) {
        #[expect(clippy::cast_precision_loss, reason = "as many as a text has numbers")]
        let known = threshold.fract() == 0.0 && threshold >= 0.0 && threshold < sets as f64;
        if !(0..16).contains(&kind) || (kind & 1 == 1 && !known) {
            return Err("it splits in a way that there is not".to_owned());
        }
    }
    Ok(())
}

/// Every node but the first, and every leaf, is the child of one node, which stands before it.
fn shape(left: &[i64], right: &[i64]) -> Sound {
    let nodes = left.len();
    let (mut levels, mut reached) = (vec![1_usize; nodes], vec![false; nodes + 1]);
    let mut found = vec![false; nodes];
    for at in 0..nodes {
        for child in [left[at], right[at]] {
            let place = usize::try_from(if child < 0 { !child } else { child }).unwrap_or(usize::MAX);
            let seen = if child < 0 { reached.get_mut(place) } else { found.get_mut(place).filter(|_| place > at) };
            match seen {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(format!("node {at} has a child that is none, or another's")),
            }
            if child >= 0 {
                levels[place] = levels[at] + 1;
                if levels[place] > MOST_LEVELS {
                    return Err(format!("it has more than {MOST_LEVELS} levels"));
                }
            }
        }
    }
    Ok(())
}

/// Number of sets of categories, each of which lies within their list.
fn sets(lines: &Lines<'_>) -> Sound<usize> {
    let sets = lines.number("num_cat")?;
    if sets == 0 {
        return Ok(0);
    }
    let bounds: Vec<usize> = lines.list("cat_boundaries")?;
    let words = lines.list::<u32>("cat_threshold")?.len();
    let whole =
        Some(bounds.len()) == sets.checked_add(1) && bounds.first() == Some(&0) && bounds.last() == Some(&words);
    if whole && bounds.is_sorted() { Ok(sets) } else { Err("its sets of categories are none".to_owned()) }
}

/// Lines `name=value`, each name once.
struct Lines<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Lines<'a> {
    fn read(lines: impl Iterator<Item = &'a str>) -> Sound<Self> {
        let mut known = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            if name.is_empty() {
                // To the library this is a name without a value.
                return Err("expected a name before `=`".to_owned());
            }
            if known.insert(name, value).is_some() {
                return Err(format!("`{name}=` stands twice"));
            }
        }
        Ok(Self(known))
    }

    fn list<T: std::str::FromStr>(&self, name: &str) -> Sound<Vec<T>> {
        let list = self.0.get(name).ok_or_else(|| format!("expected a line `{name}=`"))?;
        let numbers = list.split(' ').filter(|_| !list.is_empty());
        numbers.map(|number| number.parse().map_err(|_| format!("`{name}`: `{number}` is no number of it"))).collect()
    }

    /// Numbers that the library reads too: finite ones in digits.
    fn decimals(&self, name: &str) -> Sound<Vec<f64>> {
        let list: Vec<f64> = self.list(name)?;
        match list.iter().find(|number| !number.is_finite()) {
            None => Ok(list),
            Some(number) => Err(format!("`{name}`: expected finite numbers, found {number}")),
        }
    }

    fn number(&self, name: &str) -> Sound<usize> {
        match self.list(name)?.as_slice() {
            [number] => Ok(*number),
            _ => Err(format!("expected one number in `{name}`")),
        }
    }
}
