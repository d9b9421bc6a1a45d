//! TLS over a connection.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::roots::{RootCertificates, platform_verifier};
use crate::crypto;

/// How many sessions are kept for resumption: those of one server and one proxy.
const SESSIONS: usize = 16;

/// Adds TLS to connections. All connections of one share a configuration, and so the sessions that
/// can be resumed.
pub(super) struct TlsConnector {
    root_certificates: Option<RootCertificates>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// Trusts these root certificates, or else the platform's.
    pub(super) fn new(root_certificates: Option<RootCertificates>) -> Self {
        TlsConnector { root_certificates, config: OnceLock::new() }
    }

    /// Makes the handshake, within this time.
    pub(super) fn wrap(
        &self,
        transport: Box<dyn Transport>,
        details: &ConnectionDetails<'_>,
        timeout: NextTimeout,
    ) -> Result<Box<dyn Transport>, Error> {
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Other("the host is not a valid TLS server name".into()))?;
        let config = self.config().map_err(|error| Error::Other(error.into()))?;
        let mut conn = ClientConnection::new(config, name).map_err(|e| Error::Other(e.into()))?;
        let mut sock = TransportAdapter::new(transport, details.current_time.clone());
        sock.set_timeout(timeout);
        conn.complete_io(&mut sock)?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(input, output);
        Ok(Box::new(TlsTransport { buffers, stream: StreamOwned { conn, sock } }))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let verifier = match &self.root_certificates {
            Some(roots) => roots.verifier(),
            None => platform_verifier()?,
        };
        let fresh = config_for(verifier)?;
        Ok(self.config.get_or_init(|| fresh).clone())
    }
}

fn config_for(verifier: Arc<dyn ServerCertVerifier>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(crypto::tls_provider())
        .with_safe_default_protocol_versions()?
        // Not dangerous: it is the verifier of `rustls`, or the platform's.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(Arc::new(config))
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output();
        self.stream.write_all(output.get(..amount).unwrap_or_default())?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsTransport").field(&self.stream.sock.get_ref()).finish()
    }
}
