package torii

// #include "shim.h"
// #cgo noescape go_verify_into
// #cgo nocallback go_verify_into
import "C"

import (
	"context"
	"errors"
	"runtime"
	"time"
	"unsafe"
)

// Verifier verifies tokens of one or several issuers. Create one at startup; any number of goroutines
// may use it at once.
type Verifier struct {
	handle    *handle
	verifier  *C.torii_verifier_t
	callsBack bool
}

// NewVerifier creates a verifier for an issuer such as "https://acme.torii.so". Fetches nothing yet.
func NewVerifier(issuer string, options ...VerifierOption) (*Verifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	config := verifierConfig{options: C.torii_verifier_options_new()}
	defer C.torii_verifier_options_free(config.options)
	verifier, err := config.newVerifier(issuer, options)
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

func (c *verifierConfig) newVerifier(issuer string, options []VerifierOption) (*C.torii_verifier_t, error) {
	for _, option := range options {
		if err := option(c); err != nil {
			return nil, err
		}
	}
	if len(c.requirements) > 0 {
		requirements, err := NewRequirements(c.requirements...)
		if err != nil {
			return nil, err
		}
		err = refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_verifier_options_set_requirements(c.options, requirements.requirements, e)
		})
		runtime.KeepAlive(requirements)
		if err != nil {
			return nil, err
		}
	}
	var verifier *C.torii_verifier_t
	p, n := text(issuer)
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_verifier_new(p, n, c.options, &verifier, e)
	})
	return verifier, err
}

// Close frees the verifier once the calls under way have ended. Later calls fail with [ErrClosed];
// closing again does nothing.
func (v *Verifier) Close() error {
	v.handle.close()
	return nil
}

// Verify verifies a token, and checks the requirements of this call in addition to the verifier's: all
// of them must hold. It fetches the issuer's keys first if they are missing or expired; only then it
// blocks, and no longer than the context allows. The token is valid only if err is nil.
func (v *Verifier) Verify(ctx context.Context, token string, requirements ...*Requirements) (*Auth, error) {
	return v.check(ctx, token, 0, requirements)
}

// Authenticate verifies the token in the value of an Authorization header, "Bearer <token>", else as
// Verify does. Join the values of a repeated header with ", "; they are refused.
func (v *Verifier) Authenticate(ctx context.Context, header string, requirements ...*Requirements) (*Auth, error) {
	return v.check(ctx, header, C.TORII_VERIFY_HEADER, requirements)
}

func (v *Verifier) check(ctx context.Context, text string, how C.uint32_t, requirements []*Requirements) (*Auth, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	if len(requirements) == 0 {
		return v.checkOne(ctx, text, how, nil)
	}
	var auth *Auth
	for _, r := range requirements {
		if r == nil {
			return nil, &Error{Status: ErrInvalidArgument, Message: "requirements: one is nil"}
		}
		var err error
		if auth, err = v.checkOne(ctx, text, how, r); err != nil {
			return nil, err
		}
	}
	return auth, nil
}

func (v *Verifier) checkOne(ctx context.Context, text string, how C.uint32_t, requirements *Requirements) (*Auth, error) {
	auth, err := v.verifyInto(text, how|C.TORII_VERIFY_NOWAIT, requirements)
	if err == nil || !errors.Is(err, ErrKeysPending) {
		return auth, err
	}
	return await(ctx, func() (*Auth, error) { return v.verifyInto(text, how, requirements) })
}

func (v *Verifier) verifyInto(token string, how C.uint32_t, requirements *Requirements) (*Auth, error) {
	if !v.handle.acquire() {
		return nil, ErrClosed
	}
	defer v.handle.release()
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	words := b.record[:]
	status := v.callInto(token, how, requirements, words, b)
	if status == C.TORII_ERR_BUFFER_TOO_SMALL {
		C.go_free_error(b.outcome.error)
		words = make([]uint64, (b.outcome.size+7)/8)
		status = v.callInto(token, how, requirements, words, b)
	}
	if status != C.TORII_OK {
		return nil, takeError(b.outcome.error)
	}
	return readRecord(words, uint64(b.outcome.size))
}

// callInto is one call of C, which fills the words and the buffer's outcome.
func (v *Verifier) callInto(token string, how C.uint32_t, requirements *Requirements, words []uint64, b *buffer) C.torii_status_t {
	var r *C.torii_requirements_t
	if requirements != nil {
		r = requirements.requirements
	}
	p, n := text(token)
	room := C.size_t(len(words)) * 8
	start := (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(words)))
	var status C.torii_status_t
	if v.callsBack {
		status = C.go_verify_into_calling_back(v.verifier, p, n, how, r, start, room, &b.outcome)
	} else {
		status = C.go_verify_into(v.verifier, p, n, how, r, start, room, &b.outcome)
	}
	runtime.KeepAlive(requirements)
	return status
}

// Refresh fetches the keys of every issuer now, for example at startup.
func (v *Verifier) Refresh(ctx context.Context) error {
	return v.fetch(ctx, func(e **C.torii_error_t) C.torii_status_t { return C.torii_verifier_refresh(v.verifier, e) })
}

// RefreshDue fetches keys of an issuer if a fetch is due, and waits for a fetch in flight. "" means
// every issuer.
func (v *Verifier) RefreshDue(ctx context.Context, issuer string) error {
	return v.fetch(ctx, func(e **C.torii_error_t) C.torii_status_t {
		p, n := text(issuer)
		return C.torii_verifier_refresh_due(v.verifier, p, n, e)
	})
}

func (v *Verifier) fetch(ctx context.Context, f func(e **C.torii_error_t) C.torii_status_t) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, v.use(f) })
	return err
}

// use makes a call of C that returns nothing but an error.
func (v *Verifier) use(call func(e **C.torii_error_t) C.torii_status_t) error {
	if !v.handle.acquire() {
		return ErrClosed
	}
	defer v.handle.release()
	return refused(call)
}

// DueIn returns how long until a key fetch is due, for a timer that runs [Verifier.RefreshDue]. It
// reports false if all keys were given, and after Close.
func (v *Verifier) DueIn() (time.Duration, bool) {
	if !v.handle.acquire() {
		return 0, false
	}
	defer v.handle.release()
	ms := C.torii_verifier_due_in_ms(v.verifier)
	return time.Duration(max(ms, 0)) * time.Millisecond, ms >= 0
}

// Stats are statistics of a verifier.
type Stats struct {
	// Accepted counts the tokens accepted, Hits those among them found in the token cache.
	Accepted int64 `json:"accepted"`
	Hits     int64 `json:"hits"`
	// Refused counts refusals by the name of their status.
	Refused map[string]int64 `json:"refused"`
	// CachedTokens and CacheBytes are the content of the token cache.
	CachedTokens int64           `json:"cached_tokens"`
	CacheBytes   int64           `json:"cache_bytes"`
	Issuers      []IssuerStats   `json:"issuers"`
	Revocations  RevocationStats `json:"revocations"`
	// TablesBuilt counts the tables of [WithFixedBase] in this process, TablesDiscarded those whose self-test
	// failed.
	TablesBuilt     int64 `json:"tables_built"`
	TablesDiscarded int64 `json:"tables_discarded"`
}

// RevocationStats are statistics of the lists of revocations.
type RevocationStats struct {
	// Entries are those of the three lists.
	Entries int64 `json:"entries"`
	// File is nil without [WithRevocationsFile].
	File *RevocationsFileStats `json:"file"`
}

// RevocationsFileStats are statistics of a revocations file in this process.
type RevocationsFileStats struct {
	Entries int64 `json:"entries"`
	// LastCheck is the seconds since the file was last checked for changes.
	LastCheck *int64 `json:"last_check"`
	// Reads counts the contents that were read, Failures the checks that failed.
	Reads    int64 `json:"reads"`
	Failures int64 `json:"failures"`
	// LastError is nil if the last check succeeded.
	LastError *string `json:"last_error"`
}

// KeyCacheStats are statistics of an issuer's files in the key cache directory, in this process.
type KeyCacheStats struct {
	// Loaded and Written count key sets, Failed those that could not be written.
	Loaded  int64 `json:"loaded"`
	Written int64 `json:"written"`
	Failed  int64 `json:"failed"`
	// Ignored counts files by the reason why they were not used.
	Ignored map[string]int64 `json:"ignored"`
	// LastError is nil if the last write succeeded.
	LastError *string `json:"last_error"`
}

// IssuerStats are statistics of the keys of an issuer.
type IssuerStats struct {
	Issuer string `json:"issuer"`
	// Keys are in use; Skipped are unusable.
	Keys    int64 `json:"keys"`
	Skipped int64 `json:"skipped"`
	// KeyAge is in seconds; nil without keys.
	KeyAge *int64 `json:"key_age"`
	// DueInMS is the milliseconds until a fetch is due; nil for given keys.
	DueInMS *int64 `json:"due_in_ms"`
	// Fetches counts the fetches of the process that ended, Failures those among them that failed.
	Fetches  int64 `json:"fetches"`
	Failures int64 `json:"failures"`
	// LastError is nil if the last fetch succeeded.
	LastError *string `json:"last_error"`
	// LastSuccess is the seconds since the last successful fetch; nil if there was none.
	LastSuccess *int64 `json:"last_success"`
	// KeyCacheDir is nil without [WithKeyCacheDir].
	KeyCacheDir *KeyCacheStats `json:"key_cache_dir"`
}

// Stats returns statistics of the verifier.
func (v *Verifier) Stats() (Stats, error) {
	var stats Stats
	var out *C.torii_json_t
	err := v.use(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_verifier_stats_json(v.verifier, &out, e)
	})
	if err != nil {
		return stats, err
	}
	return stats, decode(take(out), &stats)
}

// ForgetKeys drops the keys of every issuer, for tests: all verifiers of the process fetch again.
func ForgetKeys() {
	C.torii_jwks_cache_clear()
}
