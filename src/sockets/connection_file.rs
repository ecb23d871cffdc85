//! The file by which a Jupyter client tells a kernel where to listen, and the key of the signatures.

use std::fmt;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use serde::Deserialize;

/// The only way to sign messages that Jupyter clients use.
const SIGNATURE_SCHEME: &str = "hmac-sha256";

/// Why a connection file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionFileError {
    /// It cannot be read.
    #[error("cannot read the connection file {path}: {source}; Jupyter writes one for each kernel that it starts")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not JSON, or lacks an entry.
    #[error("the connection file {path} is damaged: {source}; let Jupyter start the kernel again")]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It asks for something that this kernel cannot do.
    #[error("the connection file {path} asks for {what} `{value}`; this kernel knows {known}")]
    Unsupported {
        /// Its path.
        path: PathBuf,
        /// `the transport` or `the signature scheme`.
        what: &'static str,
        /// What it asks for.
        value: String,
        /// What would work.
        known: &'static str,
    },
}

/// A connection file that was found valid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ConnectionFile {
    #[serde(default = "tcp")]
    transport: String,
    ip: String,
    shell_port: u16,
    control_port: u16,
    stdin_port: u16,
    iopub_port: u16,
    hb_port: u16,
    #[serde(default)]
    key: String,
    #[serde(default = "hmac_sha256")]
    signature_scheme: String,
}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host name or number, and port.
    Tcp(String, u16),
    /// A file.
    Ipc(PathBuf),
}

impl ConnectionFile {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// If it cannot be read, is not a connection file, or asks for a transport or signature that we do not know.
    pub fn read(path: &Path) -> Result<Self, ConnectionFileError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConnectionFileError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConnectionFileError> {
        let mut file: Self = serde_json::from_str(text)
            .map_err(|source| ConnectionFileError::Damaged { path: path.to_path_buf(), source })?;
        if let ("ipc", Ok(absolute)) = (file.transport.as_str(), path::absolute(&file.ip)) {
            // The kernel leaves the directory that it was started in.
            file.ip = absolute.to_string_lossy().into_owned();
        }
        let unsupported = |what, value: &str, known| {
            let value = value.to_owned();
            Err(ConnectionFileError::Unsupported { path: path.to_path_buf(), what, value, known })
        };
        if !["tcp", "ipc"].contains(&file.transport.as_str()) {
            return unsupported("the transport", &file.transport, "`tcp` and `ipc`");
        }
        // Without a key nothing is signed, whatever the scheme.
        if !file.key.is_empty() && file.signature_scheme != SIGNATURE_SCHEME {
            return unsupported("the signature scheme", &file.signature_scheme, "`hmac-sha256`");
        }
        Ok(file)
    }

    /// The key of the signatures; empty if messages are not signed.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where shell listens.
    pub fn shell(&self) -> Address {
        self.address(self.shell_port)
    }

    /// Where control listens.
    pub fn control(&self) -> Address {
        self.address(self.control_port)
    }

    /// Where stdin listens.
    pub fn stdin(&self) -> Address {
        self.address(self.stdin_port)
    }

    /// Where iopub listens.
    pub fn iopub(&self) -> Address {
        self.address(self.iopub_port)
    }

    /// Where the heartbeat listens.
    pub fn heartbeat(&self) -> Address {
        self.address(self.hb_port)
    }

    fn address(&self, port: u16) -> Address {
        match (self.transport.as_str(), self.ip.as_str()) {
            ("ipc", ip) => Address::Ipc(format!("{ip}-{port}").into()),
            // ZeroMQ's way to say "every interface".
            (_, "*") => Address::Tcp("0.0.0.0".to_owned(), port),
            (_, ip) => Address::Tcp(ip.to_owned(), port),
        }
    }
}

impl Address {
    /// Where the socket behind a relay listens that has this address for the public: as protected as this one, and not
    /// reachable from other machines.
    pub fn inner(&self) -> Address {
        match self {
            Self::Tcp(..) => Self::Tcp("127.0.0.1".to_owned(), 0),
            Self::Ipc(path) => {
                let mut path = path.clone().into_os_string();
                path.push(".inner");
                Self::Ipc(path.into())
            }
        }
    }

    /// The file, if it is one.
    pub fn into_path(self) -> Option<PathBuf> {
        match self {
            Self::Tcp(..) => None,
            Self::Ipc(path) => Some(path),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::Ipc(path) => write!(f, "ipc://{}", path.display()),
        }
    }
}

fn tcp() -> String {
    "tcp".to_owned()
}

fn hmac_sha256() -> String {
    SIGNATURE_SCHEME.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: &str = r#""shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5"#;

    fn parse(rest: &str) -> Result<ConnectionFile, ConnectionFileError> {
        ConnectionFile::parse(Path::new("kernel-1.json"), &format!("{{{PORTS},{rest}}}"))
    }

    #[test]
    fn a_tcp_file_of_jupyter_is_understood() {
        let file =
            parse(r#""ip":"127.0.0.1","transport":"tcp","key":"k","signature_scheme":"hmac-sha256","kernel_name":"x""#);
        let file = file.unwrap();
        assert_eq!(file.shell().to_string(), "tcp://127.0.0.1:1");
        assert_eq!(file.heartbeat().to_string(), "tcp://127.0.0.1:5");
        assert_eq!(file.key(), "k");
    }

    #[test]
    fn an_ipc_file_names_files_by_their_port() {
        let file = parse(r#""ip":"/run/kernel-ipc","transport":"ipc","key":"""#).unwrap();
        assert_eq!(file.iopub(), Address::Ipc("/run/kernel-ipc-4".into()));
        assert_eq!(file.iopub().inner(), Address::Ipc("/run/kernel-ipc-4.inner".into()));
    }

    #[test]
    fn a_star_is_every_interface_but_never_for_the_inner_socket() {
        let file = parse(r#""ip":"*""#).unwrap();
        assert_eq!(file.iopub(), Address::Tcp("0.0.0.0".into(), 4));
        assert_eq!(file.iopub().inner(), Address::Tcp("127.0.0.1".into(), 0));
    }

    #[test]
    fn an_ipv6_address_is_written_in_brackets() {
        assert_eq!(parse(r#""ip":"::1""#).unwrap().stdin().to_string(), "tcp://[::1]:3");
    }

    #[test]
    fn what_cannot_be_done_is_said_in_a_sentence() {
        let message = parse(r#""ip":"x","transport":"udp""#).unwrap_err().to_string();
        assert_eq!(
            message,
            "the connection file kernel-1.json asks for the transport `udp`; this kernel knows `tcp` and `ipc`"
        );
        let message = parse(r#""ip":"x","key":"k","signature_scheme":"hmac-md5""#).unwrap_err().to_string();
        assert!(message.contains("the signature scheme `hmac-md5`"), "{message}");
        let message = parse(r#""key":"k""#).unwrap_err().to_string();
        assert!(message.contains("missing field `ip`"), "{message}");
    }
}
