use airlock::Task;

#[airlock::task(max_retries = 4294967295)]
fn send() {}

fn main() {
    assert_eq!(send::definition().options.get_max_retries(), Some(u32::MAX));
}
