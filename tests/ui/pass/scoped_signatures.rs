use std::fmt::Display;

use airlock::FlushError;

struct Order(String);

trait Checkout {
    fn check_out(&mut self) -> airlock::Result<&str>;
}

impl Checkout for Order {
    #[airlock::scoped]
    fn check_out(&mut self) -> airlock::Result<&str> {
        self.0.push('!');
        Ok(&self.0)
    }
}

impl Order {
    #[airlock::scoped]
    fn consume(mut self, (a, b): (u8, u8)) -> airlock::Result<Self> {
        self.0.push_str(&format!("{a}{b}"));
        if a > b {
            return Ok(self);
        }
        Ok(self)
    }

    #[airlock::scoped]
    async fn describe<'a, T: Display + ?Sized>(&'a mut self, text: &T, mut count: u8) -> airlock::Result<&'a str> {
        count += "1".parse::<u8>().map_err(airlock::Error::other)?;
        self.0 = format!("{text}{count}");
        Ok(&self.0)
    }
}

#[airlock::scoped]
fn hidden(words: impl IntoIterator<Item = u8>) -> airlock::Result<impl Iterator<Item = u8>> {
    Ok(words.into_iter().map(|word| word + 1))
}

#[airlock::scoped]
async fn own_error() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    #![allow(unused_variables)]
    let unused = 1;
    Err("no")?;
    Ok(())
}

#[airlock::scoped(on_flush_error = drop)]
async fn option(text: &str) -> Result<(), FlushError> {
    let _ = text;
    Ok(())
}

fn main() -> airlock::Result<()> {
    let mut order = Order(String::new());
    assert_eq!(order.check_out()?, "!");
    let mut order = order.consume((1, 2))?;
    drop(order.describe("x", 1));
    assert_eq!(hidden([1])?.next(), Some(2));
    drop((own_error(), option("")));
    Ok(())
}
