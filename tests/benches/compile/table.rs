//! Slopes side by side.

/// What is measured.
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) budget: Budget,
}

/// What a figure is held against.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    /// So many times what the twin by hand costs.
    OfByHand(f64),
    /// An amount.
    Amount(f64),
}

/// By how much two slopes of one run differ by luck.
const NOISE: f64 = 1.1;

/// Prints one measure: what a task costs between one size and the next, bare, by hand and with airlock, then how that
/// grows.
pub(crate) fn print(measure: &Measure, sizes: &[(usize, [f64; 3]); 3]) {
    let Measure { name, unit, budget } = measure;
    println!(
        "\n{:<26} {:>9} {:>9} {:>9} {:>10} {:>9}",
        format!("{name}, {unit}"),
        "bare",
        "by hand",
        "airlock",
        "x by hand",
        "budget"
    );
    let [small, middle, large] = sizes;
    let slopes = [(small, middle), (middle, large)].map(|((from, low), (to, high))| {
        let slope = |kind: usize| (high[kind] - low[kind]) / (to - from) as f64;
        (format!("from {from} to {to} tasks"), [slope(0), slope(1), slope(2)])
    });
    for (title, [bare, by_hand, airlock]) in &slopes {
        let ratio = airlock / by_hand;
        let (limit, met) = match *budget {
            Budget::OfByHand(limit) => (format!("{limit:.2} x"), ratio <= limit),
            Budget::Amount(limit) => (format!("{limit:.2}"), *airlock <= limit),
        };
        println!("{title:<26} {bare:>9.2} {by_hand:>9.2} {airlock:>9.2} {ratio:>10.2} {limit:>9}  {}", verdict(met));
    }
    let [(_, before), (_, after)] = &slopes;
    let [bare, by_hand, airlock] = [0, 1, 2].map(|kind| after[kind] / before[kind]);
    // Compilers themselves take longer over the thousandth item than over the tenth; the twin shows by how much.
    let limit = by_hand.max(1.0) * NOISE;
    let met = verdict(airlock <= limit);
    println!(
        "{:<26} {bare:>7.2} x {by_hand:>7.2} x {airlock:>7.2} x {:>10} {limit:>7.2} x  {met}",
        "the latter over the former", ""
    );
}

/// Prints how long a program takes to build when nothing is built.
pub(crate) fn clean(seconds: f64) {
    const BUDGET: f64 = 20.0;
    let met = verdict(seconds <= BUDGET);
    println!("\nairlock and ten tasks, built from nothing: {seconds:.1} s, budget {BUDGET:.0} s  {met}");
}

fn verdict(met: bool) -> &'static str {
    if met { "ok" } else { "OVER" }
}
