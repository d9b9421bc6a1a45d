package torii

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// MiddlewareOption changes where [Middleware] finds tokens, and how it answers.
type MiddlewareOption func(*middleware)

type middleware struct {
	verifier *Verifier
	next     http.Handler
	header   string
	cookie   string
	skip     func(*http.Request) bool
	onError  func(http.ResponseWriter, *http.Request, error)
}

// FromHeader takes the token from this header instead of Authorization. The value is "Bearer <token>"
// there too.
func FromHeader(name string) MiddlewareOption {
	return func(m *middleware) { m.header = name }
}

// FromCookie takes the token from this cookie when the header is missing.
func FromCookie(name string) MiddlewareOption {
	return func(m *middleware) { m.cookie = name }
}

// Skip lets requests pass without a look at their tokens.
func Skip(skip func(*http.Request) bool) MiddlewareOption {
	return func(m *middleware) { m.skip = skip }
}

// OnError answers instead of [WriteError].
func OnError(answer func(http.ResponseWriter, *http.Request, error)) MiddlewareOption {
	return func(m *middleware) { m.onError = answer }
}

// Middleware lets requests with a good token pass, and tells handlers whose it is by
// [AuthFromContext]. Others are answered by [WriteError].
func Middleware(verifier *Verifier, options ...MiddlewareOption) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		m := &middleware{
			verifier: verifier,
			next:     next,
			header:   "Authorization",
			skip:     func(*http.Request) bool { return false },
			onError:  func(w http.ResponseWriter, _ *http.Request, err error) { WriteError(w, err) },
		}
		for _, option := range options {
			option(m)
		}
		return m
	}
}

func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.skip(r) {
		m.next.ServeHTTP(w, r)
		return
	}
	auth, err := m.authenticate(r)
	if err != nil {
		m.onError(w, r, err)
		return
	}
	m.next.ServeHTTP(w, r.WithContext(ContextWithAuth(r.Context(), auth)))
}

func (m *middleware) authenticate(r *http.Request) (*Auth, error) {
	header := r.Header.Get(m.header)
	if header == "" && m.cookie != "" {
		if cookie, err := r.Cookie(m.cookie); err == nil {
			return m.verifier.Verify(r.Context(), cookie.Value)
		}
	}
	return m.verifier.Authenticate(r.Context(), header)
}

// WriteError answers a request that was not let in: 401 for a bad token, 403 for a good one that does
// not meet a requirement, 503 when nothing can be said, since the keys are missing or the context
// has ended, 400 for a webhook that is not genuine, else 500. The body tells nobody the reason; log
// err for that.
func WriteError(w http.ResponseWriter, err error) {
	var status Status
	var retry time.Duration
	body := `{"error":"internal"}`

	if e := (*Error)(nil); errors.As(err, &e) {
		status, retry = e.Status, e.RetryAfter
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		status = ErrKeysPending
	}
	header := w.Header()
	answer := http.StatusInternalServerError
	if status != 0 {
		answer = status.HTTP()
	}
	switch answer {
	case http.StatusBadRequest:
		body = `{"error":"bad_request"}`
	case http.StatusUnauthorized:
		body = `{"error":"unauthorized"}`
		header.Set("WWW-Authenticate", `Bearer realm="torii", error="invalid_token"`)
	case http.StatusForbidden:
		body = `{"error":"forbidden"}`
	case http.StatusServiceUnavailable:
		body = `{"error":"unavailable"}`
		header.Set("Retry-After", strconv.FormatInt(max(1, int64(retry/time.Second)), 10))
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(answer)
	_, _ = w.Write([]byte(body))
}
