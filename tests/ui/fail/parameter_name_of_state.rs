#[airlock::task]
fn send(#[state] #[name = "from"] mailer: &String) {
    let _ = mailer;
}

fn main() {}
