use airlock::Task;

#[airlock::task(local)]
fn forget() {}

#[airlock::task]
fn send() {}

fn main() {
    assert!(forget::definition().local);
    assert!(!send::definition().local);
}
