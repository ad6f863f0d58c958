struct Mailer;

#[airlock::task]
fn send(#[state] #[redact] mailer: &Mailer) {
    let _ = mailer;
}

fn main() {}
