package torii

// #include "shim.h"
// #cgo noescape go_judge
// #cgo nocallback go_judge
// #cgo noescape go_read_auth
// #cgo nocallback go_read_auth
import "C"

import (
	"context"
	"errors"
	"runtime"
	"time"
	"unsafe"
)

// Verifier judges tokens of one or several issuers. Any number of goroutines may use one at once;
// keep one for the whole program.
type Verifier struct {
	handle    *handle
	verifier  *C.torii_verifier_t
	callsBack bool
}

// NewVerifier makes a verifier for an issuer, as in "https://acme.torii.so". Nothing is fetched yet.
// Close it when it is no longer needed.
func NewVerifier(issuer string, options ...VerifierOption) (*Verifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	config := verifierConfig{options: C.torii_verifier_options_new()}
	defer C.torii_verifier_options_free(config.options)
	for _, option := range options {
		if err := option(&config); err != nil {
			config.clock.delete()
			return nil, err
		}
	}
	var verifier *C.torii_verifier_t
	p, n := text(issuer)
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_verifier_new(p, n, config.options, &verifier, e)
	})
	if err != nil {
		config.clock.delete()
		return nil, err
	}
	v := &Verifier{verifier: verifier, callsBack: config.clock != 0}
	v.handle = &handle{free: func() {
		C.torii_verifier_free(verifier)
		config.clock.delete()
	}}
	runtime.AddCleanup(v, (*handle).close, v.handle)
	return v, nil
}

// Close frees the verifier once the calls under way have ended. Later calls fail with [ErrClosed];
// closing again does nothing.
func (v *Verifier) Close() error {
	v.handle.close()
	return nil
}

// Verify judges a token. The issuer's keys are fetched first when they are missing or too old: only
// then it blocks, and no longer than the context allows. A token is good when err is nil.
func (v *Verifier) Verify(ctx context.Context, token string) (*Auth, error) {
	return v.judge(ctx, token, C.GO_VERIFY_NOWAIT, C.GO_VERIFY)
}

// Authenticate judges the token in the value of an Authorization header, "Bearer <token>". Else it is
// as Verify.
func (v *Verifier) Authenticate(ctx context.Context, header string) (*Auth, error) {
	return v.judge(ctx, header, C.GO_AUTHENTICATE_NOWAIT, C.GO_AUTHENTICATE)
}

func (v *Verifier) judge(ctx context.Context, text string, nowait, wait C.go_how) (*Auth, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	auth, err := v.judgeHow(text, nowait)
	if !errors.Is(err, ErrKeysPending) {
		return auth, err
	}
	return await(ctx, func() (*Auth, error) { return v.judgeHow(text, wait) })
}

func (v *Verifier) judgeHow(token string, how C.go_how) (*Auth, error) {
	if !v.handle.acquire() {
		return nil, ErrClosed
	}
	defer v.handle.release()
	verifier := C.uintptr_t(uintptr(unsafe.Pointer(v.verifier)))
	p, n := text(token)
	if v.callsBack {
		// C holds these while Go runs, so they must not be on a stack, which may move.
		verdict, buffer := new(C.go_verdict), new(verdictBuffer)
		C.go_judge_calling_back(verifier, how, p, n, buffer.start(), C.size_t(len(buffer)), verdict)
		return readVerdict(verdict, buffer[:])
	}
	var verdict C.go_verdict
	var buffer verdictBuffer
	C.go_judge(verifier, how, p, n, buffer.start(), C.size_t(len(buffer)), &verdict)
	return readVerdict(&verdict, buffer[:])
}

// verdictBuffer has room for the texts of all but extraordinary tokens.
type verdictBuffer [1536]byte

func (b *verdictBuffer) start() *C.char {
	return (*C.char)(unsafe.Pointer(b))
}

func readVerdict(verdict *C.go_verdict, buffer []byte) (*Auth, error) {
	if verdict.error != 0 {
		return nil, takeError(C.go_error(verdict.error))
	}
	length := verdict.user_id + verdict.environment_id + verdict.issuer + verdict.locale + verdict.claims
	if verdict.auth != 0 {
		buffer = make([]byte, length)
		C.go_read_auth(verdict.auth, (*C.char)(unsafe.Pointer(unsafe.SliceData(buffer))), length, verdict)
	}
	rest := string(buffer[:length])
	next := func(n C.size_t) (s string) {
		s, rest = rest[:n], rest[n:]
		return s
	}
	auth := &Auth{
		UserID:          next(verdict.user_id),
		EnvironmentID:   next(verdict.environment_id),
		Issuer:          next(verdict.issuer),
		EmailVerified:   bool(verdict.email_verified),
		ProfileComplete: bool(verdict.profile_complete),
		Impersonating:   bool(verdict.impersonating),
		IssuedAt:        time.Unix(int64(verdict.issued_at), 0),
		ExpiresAt:       time.Unix(int64(verdict.expires_at), 0),
	}
	if verdict.has_locale {
		locale := next(verdict.locale)
		auth.Locale = &locale
	}
	auth.ClaimsJSON = rest
	return auth, nil
}

// Refresh fetches the keys of every issuer now, to warm up.
func (v *Verifier) Refresh(ctx context.Context) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	_, err := await(ctx, func() (struct{}, error) {
		if !v.handle.acquire() {
			return struct{}{}, ErrClosed
		}
		defer v.handle.release()
		return struct{}{}, refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_refresh(v.verifier, e)
		})
	})
	return err
}

// Stats is what a verifier has done so far.
type Stats struct {
	// Accepted counts the tokens accepted, Hits those of them whose signature was known good before.
	Accepted int64 `json:"accepted"`
	Hits     int64 `json:"hits"`
	// Refused counts the other answers, by the name of the status.
	Refused map[string]int64 `json:"refused"`
	// Verdicts and VerdictBytes are what the cache of verdicts holds.
	Verdicts     int64         `json:"verdicts"`
	VerdictBytes int64         `json:"verdict_bytes"`
	Issuers      []IssuerStats `json:"issuers"`
}

// IssuerStats is about the keys of an issuer. Fetches and Failures count for the whole process.
type IssuerStats struct {
	Issuer string `json:"issuer"`
	// Keys are in use, Skipped cannot be used.
	Keys    int64 `json:"keys"`
	Skipped int64 `json:"skipped"`
	// KeyAge is in seconds; nil without keys.
	KeyAge *int64 `json:"key_age"`
	// DueInMS is the milliseconds until keys are to be fetched; nil where they were given.
	DueInMS  *int64 `json:"due_in_ms"`
	Fetches  int64  `json:"fetches"`
	Failures int64  `json:"failures"`
}

// Stats tells what the verifier has done so far.
func (v *Verifier) Stats() (Stats, error) {
	var stats Stats
	if !v.handle.acquire() {
		return stats, ErrClosed
	}
	defer v.handle.release()
	var out *C.torii_json_t
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_verifier_stats_json(v.verifier, &out, e)
	})
	if err != nil {
		return stats, err
	}
	return stats, decode(take(out), &stats)
}

// ForgetKeys makes all verifiers of the process fetch their issuers' keys anew. For tests.
func ForgetKeys() {
	C.torii_jwks_cache_clear()
}
