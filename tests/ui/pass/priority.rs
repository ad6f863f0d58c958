use airlock::Task;

#[airlock::task(priority = 0)]
fn lowest() {}

#[airlock::task(priority = 9)]
fn highest() {}

fn main() {
    assert_eq!(lowest::definition().options.get_priority(), Some(0));
    assert_eq!(highest::definition().options.get_priority(), Some(9));
}
