#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Address(u64);

#[airlock::task]
fn send(#[default] address: Address) {
    let _ = address;
}

fn main() {}
