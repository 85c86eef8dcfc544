//! The reader of Ichor, from its own source files and nothing else of it: the networks behind it would
//! take most of a fuzz build, and are not what strangers' bytes reach.

// Some of these serve the measuring of what the network finds.
#[allow(dead_code, unused_imports)]
#[path = "../src"]
mod reader {
    pub mod decode;
    pub mod error;
    pub mod series;
    pub mod slice;
    pub mod window;
}
pub use reader::*;
