//! Figures side by side.

use super::cases::Budget;

/// One row: what is measured, and what each side needs.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) floor: Option<f64>,
    pub(crate) airlock: f64,
    pub(crate) budget: Budget,
    pub(crate) original: Option<f64>,
}

/// Prints rows under a title and the unit of their figures.
pub(crate) fn print(title: &str, unit: &str, rows: &[Row]) {
    println!("\n{title}\n");
    let head = ["case".to_owned(), format!("floor {unit}"), format!("airlock {unit}")];
    let [case, floor, airlock] = &head;
    println!("{case:<46} {floor:>12} {airlock:>14} {:>7} {:>10}  {:<5} {:>10}", "ratio", "budget", "", "original");
    for row in rows {
        let Row { name, floor, airlock, budget, original } = row;
        let ratio = floor.map(|floor| airlock / floor);
        let (budget, met) = match *budget {
            Budget::Ratio(limit) => (format!("{limit:.2} x"), ratio.map(|ratio| ratio <= limit)),
            Budget::Amount(limit) => (figure(Some(limit)), Some(*airlock <= limit)),
            Budget::None => ("-".to_owned(), None),
        };
        let met = met.map_or("", |met| if met { "ok" } else { "OVER" });
        let ratio = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (floor, airlock, original) = (figure(*floor), figure(Some(*airlock)), figure(*original));
        println!("{name:<46} {floor:>12} {airlock:>14} {ratio:>7} {budget:>10}  {met:<5} {original:>10}");
    }
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.2}"),
        Some(value) if value < 1000.0 => format!("{value:.0}"),
        Some(value) => {
            let digits = format!("{value:.0}");
            let head = digits.len() % 3;
            let groups = digits.as_bytes()[head..].chunks(3).map(String::from_utf8_lossy);
            let head = (head > 0).then(|| digits[..head].into());
            head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
        }
    }
}
