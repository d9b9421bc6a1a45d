package torii

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MiddlewareOption is an option of [Middleware].
type MiddlewareOption func(*middleware)

type middleware struct {
	verifier     *Verifier
	next         http.Handler
	header       string
	cookie       string
	optional     bool
	requirements []*Requirements
	skip         []string
	skipIf       func(*http.Request) bool
	onError      func(http.ResponseWriter, *http.Request, error)
}

// FromHeader takes the token from this header instead of Authorization. Its value is "Bearer <token>"
// there too.
func FromHeader(name string) MiddlewareOption {
	return func(m *middleware) { m.header = name }
}

// FromCookie takes the token from this cookie if the header is absent or blank. torii sets no such
// cookie: it is your application's own. Browsers send cookies with requests that other sites cause:
// protect what changes something against that (CSRF).
func FromCookie(name string) MiddlewareOption {
	return func(m *middleware) { m.cookie = name }
}

// Optional lets requests without credentials pass without an identity, unless [WithRequirements] is
// given. Invalid credentials are still refused.
func Optional() MiddlewareOption {
	return func(m *middleware) { m.optional = true }
}

// WithRequirements sets requirements of this route, in addition to the verifier's and to those of
// earlier options: all of them must hold.
func WithRequirements(requirements ...*Requirements) MiddlewareOption {
	return func(m *middleware) { m.requirements = append(m.requirements, requirements...) }
}

// Skip ignores the credentials of requests to these paths, which pass without an identity.
func Skip(paths ...string) MiddlewareOption {
	return func(m *middleware) { m.skip = append(m.skip, paths...) }
}

// SkipIf ignores the credentials of the requests for which it returns true, as [Skip] does.
func SkipIf(skip func(*http.Request) bool) MiddlewareOption {
	return func(m *middleware) { m.skipIf = skip }
}

// OnError answers refused requests instead of [WriteError].
func OnError(answer func(http.ResponseWriter, *http.Request, error)) MiddlewareOption {
	return func(m *middleware) { m.onError = answer }
}

// Middleware lets requests with a valid token pass; [AuthFromContext] returns their identity. Others
// are answered by [WriteError]. Routes with requirements of their own share the verifier.
func Middleware(verifier *Verifier, options ...MiddlewareOption) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		m := &middleware{
			verifier: verifier,
			next:     next,
			header:   "Authorization",
			skipIf:   func(*http.Request) bool { return false },
			onError:  func(w http.ResponseWriter, _ *http.Request, err error) { WriteError(w, err) },
		}
		for _, option := range options {
			option(m)
		}
		return m
	}
}

func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	auth, err := m.authenticate(r)
	if err != nil {
		m.onError(w, r, err)
		return
	}
	if auth != nil {
		r = r.WithContext(ContextWithAuth(r.Context(), auth))
	}
	m.next.ServeHTTP(w, r)
}

// authenticate returns the identity of a request, nil for one that may pass without.
func (m *middleware) authenticate(r *http.Request) (*Auth, error) {
	skipped := slices.Contains(m.skip, r.URL.Path) || m.skipIf(r)
	if !skipped {
		if header := strings.Join(r.Header.Values(m.header), ", "); !isBlank(header) {
			return m.verifier.Authenticate(r.Context(), header, m.requirements...)
		}
		if token := m.cookieOf(r); !isBlank(token) {
			return m.verifier.Verify(r.Context(), token, m.requirements...)
		}
	}
	if (skipped || m.optional) && len(m.requirements) == 0 {
		return nil, nil
	}
	return m.verifier.Authenticate(r.Context(), "", m.requirements...)
}

// cookieOf returns the value of the cookie, "" without one. The values of a cookie that comes twice are
// joined by ", ", which no token contains.
func (m *middleware) cookieOf(r *http.Request) string {
	if m.cookie == "" {
		return ""
	}
	var found []string
	for _, pair := range strings.Split(strings.Join(r.Header.Values("Cookie"), "; "), ";") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || strings.Trim(name, " \t") != m.cookie {
			continue
		}
		value = strings.Trim(value, " \t")
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' { // RFC 6265 §4.1.1
			value = value[1 : n-1]
		}
		found = append(found, value)
	}
	return strings.Join(found, ", ")
}

func isBlank(text string) bool {
	return strings.Trim(text, " \t") == ""
}

// WriteError answers a refused request: 401 for an invalid token, 403 for one that does not meet a
// requirement, 503 if keys are missing or the context has ended, 400 for an invalid webhook, else 500.
// The answer does not tell the reason; log err.
func WriteError(w http.ResponseWriter, err error) {
	answer := http.StatusInternalServerError
	header := w.Header()

	var retry time.Duration
	if e := (*Error)(nil); errors.As(err, &e) {
		answer, retry = e.Status.HTTP(), e.RetryAfter
		if e.WWWAuthenticate != "" {
			header.Set("WWW-Authenticate", e.WWWAuthenticate)
		}
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		answer = http.StatusServiceUnavailable
	}
	body := `{"error":"internal"}`
	switch answer {
	case http.StatusBadRequest:
		body = `{"error":"bad_request"}`
	case http.StatusUnauthorized:
		body = `{"error":"unauthorized"}`
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
