package torii

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"time"
)

// VerifierOption changes how a verifier judges, or where it gets its keys from.
type VerifierOption func(*verifierConfig) error

type verifierConfig struct {
	options *C.torii_verifier_options_t
	clock   clock
}

// WithIssuer trusts a further issuer. A token's iss picks among the configured issuers and can name
// nothing else.
func WithIssuer(issuer string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(issuer)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_add_issuer(c.options, p, n, e)
		})
	}
}

// WithAudience demands that aud names one of these. Without it, aud is ignored.
func WithAudience(audiences ...string) VerifierOption {
	return func(c *verifierConfig) error {
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

// WithLeeway says by how much the clocks of torii and of this host may differ: whole seconds up to
// 300, 30 by default.
func WithLeeway(leeway time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_leeway(c.options, count(leeway, time.Second), e)
		})
	}
}

// WithJWKS gives keys as a JWK Set instead of having them fetched: those of the issuer named last by
// WithIssuer before it, else of the verifier's own.
func WithJWKS(jwks string) VerifierOption {
	return func(c *verifierConfig) error {
		p, n := text(jwks)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_jwks_json(c.options, p, n, e)
		})
	}
}

// WithKeyLifetime says how long keys last, whatever the issuer says: 1 s to 24 h.
func WithKeyLifetime(lifetime time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_key_lifetime(c.options, count(lifetime, time.Second), e)
		})
	}
}

// WithMaxStale says how long keys stay in use after the last time they could be fetched: up to 30
// days, 24 h by default; 0: not beyond their lifetime.
func WithMaxStale(stale time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_max_stale(c.options, count(stale, time.Second), e)
		})
	}
}

// WithFetchTimeout says how long fetching keys may take: 100 ms to 60 s, 5 s by default.
func WithFetchTimeout(timeout time.Duration) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_fetch_timeout_ms(c.options, count(timeout, time.Millisecond), e)
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

// Requirement is what can be asked of every token beyond its being good.
type Requirement uint32

// What to ask; combine them with |.
const (
	EmailVerified   Requirement = C.TORII_REQUIRE_EMAIL_VERIFIED
	ProfileComplete Requirement = C.TORII_REQUIRE_PROFILE_COMPLETE
	NotImpersonated Requirement = C.TORII_REQUIRE_NOT_IMPERSONATED
)

// Require refuses good tokens that do not meet every requirement, with [ErrPolicy].
func Require(what Requirement) VerifierOption {
	return func(c *verifierConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_require(c.options, C.uint32_t(what), e)
		})
	}
}

// WithBackgroundRefresh says whether a short-lived thread may fetch keys before they are needed;
// true by default.
func WithBackgroundRefresh(allowed bool) VerifierOption {
	return func(c *verifierConfig) error {
		C.torii_verifier_options_set_background_refresh(c.options, C.bool(allowed))
		return nil
	}
}

// WithVerdictCache says how much memory verdicts on good tokens may take: 8 MiB by default, 0 for
// none.
func WithVerdictCache(bytes uint) VerifierOption {
	return func(c *verifierConfig) error {
		C.torii_verifier_options_set_verdict_cache_bytes(c.options, C.size_t(bytes))
		return nil
	}
}

// WithInsecureHTTP allows plain http to hosts other than this one. Anyone on the way can then forge
// every login.
func WithInsecureHTTP() VerifierOption {
	return func(c *verifierConfig) error {
		C.torii_verifier_options_set_allow_http(c.options, true)
		return nil
	}
}

// WithClock judges the time claims by this clock instead of the system's. It is called by the
// goroutines that verify, and must not panic. Verifying takes longer with it.
func WithClock(now func() time.Time) VerifierOption {
	return func(c *verifierConfig) error {
		c.clock.delete()
		c.clock = clock(cgo.NewHandle(now))
		C.go_set_clock(c.options, C.uintptr_t(c.clock))
		return nil
	}
}

// A clock is a function of Go's that C may know the number of.
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

// count is a duration in whole units, rounded up. What no uint32 holds becomes the largest, which the
// library refuses by the option's name.
func count(d, unit time.Duration) C.uint32_t {
	n := (d + unit - 1) / unit
	if d < 0 || n > 1<<32-1 {
		n = 1<<32 - 1
	}
	return C.uint32_t(n)
}
