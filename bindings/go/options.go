package torii

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"time"
)

// VerifierOption is an option of [NewVerifier].
type VerifierOption func(*verifierConfig) error

type verifierConfig struct {
	options      *C.torii_verifier_options_t
	requirements []Requirement
	clock        clock
}

// WithIssuer trusts a further issuer, for example during a move to a custom domain. A token's iss
// selects among the configured issuers.
func WithIssuer(issuer string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(issuer)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_add_issuer(c.options, p, n, e)
		})
	}
}

// WithIssuerJWKS trusts a further issuer with these keys, a JWK Set, instead of fetching them.
func WithIssuerJWKS(issuer, jwks string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(issuer)
		j, jn := text(jwks)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_add_issuer_jwks(c.options, p, n, j, jn, e)
		})
	}
}

// WithJWKS sets the keys of the verifier's own issuer, a JWK Set, instead of fetching them.
func WithJWKS(jwks string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(jwks)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_jwks_json(c.options, p, n, e)
		})
	}
}

// WithAudience requires that aud names one of these audiences. Without this option, a token with aud
// is refused. No audience at all is an error.
func WithAudience(audiences ...string) VerifierOption {
	return func(c *verifierConfig) error {
		if len(audiences) == 0 {
			return &Error{Status: ErrInvalidArgument, Message: "audience: none (expected at least one)"}
		}
		for _, audience := range audiences {
			p, n := text(audience)
			err := refused(func(e **C.torii_error_t) C.torii_status_t {
				return C.torii_verifier_options_add_audience(c.options, p, n, e)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// WithIgnoreAudience ignores aud. It cannot be combined with [WithAudience].
func WithIgnoreAudience() VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_ignore_audience(c.options, true, e)
		})
	}
}

// WithLeeway sets the clock difference to allow between torii and this host: whole seconds up to 300.
// Default: 30 s.
func WithLeeway(leeway time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_leeway_seconds(c.options, count(leeway, time.Second), e)
		})
	}
}

// WithMaxLifetime refuses tokens whose exp is more than this after iat, with [ErrTokenLifetime].
// Default: 0, unlimited.
func WithMaxLifetime(lifetime time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		// The library takes any number of seconds, and would take this for a long lifetime.
		if lifetime < 0 {
			return &Error{Status: ErrInvalidArgument, Message: "max_lifetime: negative (expected 0 or more)"}
		}
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_max_lifetime_seconds(c.options, count(lifetime, time.Second), e)
		})
	}
}

// Require sets requirements of every token, in addition to those of earlier options. A valid token
// that does not meet them is refused with [ErrPolicy]. No requirement at all is an error.
func Require(requirements ...Requirement) VerifierOption {
	return func(c *verifierConfig) error {
		if len(requirements) == 0 {
			return &Error{Status: ErrInvalidArgument, Message: "requirements: none (expected at least one)"}
		}
		c.requirements = append(c.requirements, requirements...)
		return nil
	}
}

// WithLegacyOrganization reads org_id and org_role, the older names, where a token has no o. They are
// not read by default, since a template may fill these names with what a user wrote.
func WithLegacyOrganization() VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_legacy_organization(c.options, true, e)
		})
	}
}

// WithRealm sets the realm of the WWW-Authenticate header. Default: "torii".
func WithRealm(realm string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(realm)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_realm(c.options, p, n, e)
		})
	}
}

// WithResourceMetadata sets the resource_metadata parameter of the WWW-Authenticate header (RFC 9728).
func WithResourceMetadata(url string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(url)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_resource_metadata(c.options, p, n, e)
		})
	}
}

// WithKeyLifetime sets the lifetime of fetched keys: 1 s to 24 h. Default: what the issuer says.
func WithKeyLifetime(lifetime time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_key_lifetime_seconds(c.options, count(lifetime, time.Second), e)
		})
	}
}

// WithMaxStale sets how long keys stay in use after the last successful fetch while the issuer is
// unreachable: up to 30 days. 0: not beyond their lifetime. Default: 24 h.
func WithMaxStale(stale time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_max_stale_seconds(c.options, count(stale, time.Second), e)
		})
	}
}

// WithFetchTimeout sets the timeout of a key fetch: 100 ms to 60 s. Default: 5 s.
func WithFetchTimeout(timeout time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_fetch_timeout_ms(c.options, count(timeout, time.Millisecond), e)
		})
	}
}

// WithBackgroundRefresh sets whether short-lived threads may fetch keys before they expire. Default:
// true.
func WithBackgroundRefresh(allowed bool) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_background_refresh(c.options, C.bool(allowed), e)
		})
	}
}

// WithCAFile trusts the certificate authorities in this PEM file instead of the platform's.
func WithCAFile(path string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(path)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_ca_file(c.options, p, n, e)
		})
	}
}

// WithProxy fetches keys through an http or https proxy, such as
// "http://user:password@proxy.example:3128". Proxies of the environment are not used.
func WithProxy(url string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(url)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_proxy(c.options, p, n, e)
		})
	}
}

// WithInsecureHTTP allows plain http to hosts other than loopback. Anyone on the path can then forge
// every token.
func WithInsecureHTTP() VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_allow_http(c.options, true, e)
		})
	}
}

// WithTokenCache sets the size of the verified token cache; 0 turns it off. Default: 8 MiB.
func WithTokenCache(bytes uint) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_token_cache_bytes(c.options, C.size_t(bytes), e)
		})
	}
}

// WithFixedBase verifies new tokens with a table for each key, of about 150 KiB, in less than half of
// the time.
func WithFixedBase() VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_fixed_base(c.options, true, e)
		})
	}
}

// WithKeyCacheDir keeps fetched keys in this directory, so that the next process starts without a
// fetch. Anyone who can write there can log in as any user.
func WithKeyCacheDir(path string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(path)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_key_cache_dir(c.options, p, n, e)
		})
	}
}

// WithRevocationsFile refuses the tokens that this file revokes, JSON as [Verifier.SetRevocationsJSON]
// takes it. The file is read again when it changes.
func WithRevocationsFile(path string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(path)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_revocations_file(c.options, p, n, e)
		})
	}
}

// WithMetricsIssuerLabel makes [Verifier.Metrics] name issuers, which may be your tenants.
func WithMetricsIssuerLabel() VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_metrics_issuer_label(c.options, true, e)
		})
	}
}

// WithClock verifies the time claims by this clock. It runs on the goroutines that verify, and must
// not panic. Verifying takes longer with it.
func WithClock(now func() time.Time) VerifierOption {
	return func(c *verifierConfig) error {
		c.clock.delete()
		c.clock = clock(cgo.NewHandle(now))
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.go_set_clock(c.options, C.uintptr_t(c.clock), e)
		})
	}
}

// A clock is the number by which C knows a Go function.
type clock cgo.Handle

//export toriiNow
func toriiNow(c C.uintptr_t) C.int64_t {
	return C.int64_t(cgo.Handle(c).Value().(func() time.Time)().Unix())
}

func (c clock) delete() {
	if c != 0 {
		cgo.Handle(c).Delete()
	}
}

// count returns a duration in whole units, rounded up. One that does not fit becomes the largest
// uint32, which the library refuses by the option's name.
func count(d, unit time.Duration) C.uint32_t {
	n := d / unit
	if d%unit > 0 {
		n++
	}
	if d < 0 || n > 1<<32-1 {
		n = 1<<32 - 1
	}
	return C.uint32_t(n)
}
