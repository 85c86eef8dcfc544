//! The reader of Ichor and the multipart parser in front of it, from their own source files and nothing else of
//! it: the networks behind would take most of a fuzz build, and are not what strangers' bytes reach.

// Some of these serve the measuring of what the network finds.
#[allow(dead_code, unused_imports)]
#[path = "../src"]
mod reader {
    pub mod decode;
    pub mod error;
    pub mod http {
        pub mod multipart;
    }
    pub mod series;
    pub mod slice;
    pub mod window;
}
pub use reader::*;
