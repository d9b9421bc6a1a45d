package torii

// #include "shim.h"
import "C"

import (
	"context"
	"encoding/json"
	"net/url"
	"runtime"
	"time"
)

// Client manages the environment of a secret key over torii's backend API. Any number of goroutines
// may use one at once; keep one for the whole program.
//
// A call ends when its context does. What it asked for may happen all the same, as with any request
// that is given up.
type Client struct {
	Users          *Users
	Sessions       *Sessions
	Organizations  *Organizations
	Invitations    *Invitations
	Impersonation  *Impersonation
	AllowedOrigins *AllowedOrigins

	handle *handle
	client *C.torii_client_t
}

// NewClient makes a client for the environment of a secret key, "sk_live_…" or "sk_test_…". Nothing
// is sent yet. Close it when it is no longer needed.
func NewClient(secretKey string, options ...ClientOption) (*Client, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	config := clientConfig{options: C.torii_client_options_new()}
	defer C.torii_client_options_free(config.options)
	for _, option := range options {
		if err := option(&config); err != nil {
			return nil, err
		}
	}
	var client *C.torii_client_t
	p, n := text(secretKey)
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_new(p, n, config.options, &client, e)
	})
	if err != nil {
		return nil, err
	}
	c := &Client{client: client, handle: &handle{free: func() { C.torii_client_free(client) }}}
	c.Users = &Users{c}
	c.Sessions = &Sessions{c}
	c.Organizations = &Organizations{c}
	c.Invitations = &Invitations{c}
	c.Impersonation = &Impersonation{c}
	c.AllowedOrigins = &AllowedOrigins{c}
	runtime.AddCleanup(c, (*handle).close, c.handle)
	return c, nil
}

// Close frees the client and wipes its secret key once the calls under way have ended. Later calls
// fail with [ErrClosed]; closing again does nothing.
func (c *Client) Close() error {
	c.handle.close()
	return nil
}

// Request calls an operation that is newer than this package. The path is that below the API's URL,
// as in "/api/server/v1/users". The body may be anything that encodes to a JSON object, or nil; the
// answer is decoded into what into points at, unless that is nil.
func (c *Client) Request(ctx context.Context, method, path string, query url.Values, body, into any) error {
	var encoded string
	if body != nil {
		var err error
		if encoded, err = marshal("", body); err != nil {
			return err
		}
	}
	m, mn := text(method)
	p, pn := text(path)
	q, qn := text(query.Encode())
	b, bn := text(encoded)
	return c.call(ctx, into, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_request_json(c.client, m, mn, p, pn, q, qn, b, bn, out, e)
	})
}

// A call is one of C's functions with all but its last two arguments.
type call = func(out **C.torii_json_t, err **C.torii_error_t) C.torii_status_t

// call makes a call and decodes its answer, if there is one and somebody wants it.
func (c *Client) call(ctx context.Context, into any, f call) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	answer, err := await(ctx, func() (json.RawMessage, error) {
		if !c.handle.acquire() {
			return nil, ErrClosed
		}
		defer c.handle.release()
		var out *C.torii_json_t
		err := refused(func(e **C.torii_error_t) C.torii_status_t { return f(&out, e) })
		return take(out), err
	})
	if err != nil || into == nil {
		return err
	}
	return decode(answer, into)
}

// do makes a call that has no answer.
func (c *Client) do(ctx context.Context, f func(err **C.torii_error_t) C.torii_status_t) error {
	return c.call(ctx, nil, func(_ **C.torii_json_t, e **C.torii_error_t) C.torii_status_t { return f(e) })
}

// fetch makes a call that answers a T.
func fetch[T any](ctx context.Context, c *Client, f call) (*T, error) {
	answer := new(T)
	if err := c.call(ctx, answer, f); err != nil {
		return nil, err
	}
	return answer, nil
}

// limit is how many items a page may have. What C cannot count becomes what the library refuses.
func limit(n int) C.uint32_t {
	return C.uint32_t(min(uint64(n), 1<<32-1))
}

// ClientOption changes how a client reaches the API.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	options *C.torii_client_options_t
}

// WithAPIURL says where the API is: "https://api.torii.so" by default.
func WithAPIURL(url string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(url)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_api_url(c.options, p, n, e)
		})
	}
}

// WithTimeout says how long a call may take in all, repetitions included: 100 ms to 10 minutes, 30 s
// by default. A context may end it sooner.
func WithTimeout(timeout time.Duration) ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_timeout_ms(c.options, count(timeout, time.Millisecond), e)
		})
	}
}

// WithConnectTimeout says how long connecting may take: 100 ms to 60 s, 5 s by default.
func WithConnectTimeout(timeout time.Duration) ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_connect_timeout_ms(c.options, count(timeout, time.Millisecond), e)
		})
	}
}

// WithMaxRetries says how often a call that may be repeated is repeated: up to 10 times, 2 by
// default.
func WithMaxRetries(retries uint8) ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_max_retries(c.options, C.uint32_t(retries), e)
		})
	}
}

// WithAPICAFile trusts the certificate authorities in this PEM file instead of the platform's.
func WithAPICAFile(path string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(path)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_ca_file(c.options, p, n, e)
		})
	}
}

// WithAPIProxy calls the API through an http or https proxy, such as
// "http://user:password@proxy.example:3128". Proxies of the environment are not used.
func WithAPIProxy(url string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(url)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_proxy(c.options, p, n, e)
		})
	}
}

// WithUserAgent names the program as well in User-Agent, as in "shop/1.2".
func WithUserAgent(suffix string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(suffix)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_user_agent_suffix(c.options, p, n, e)
		})
	}
}

// WithInsecureAPI allows plain http to hosts other than this one. Anyone on the way then learns the
// secret key.
func WithInsecureAPI() ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_allow_http(c.options, true, e)
		})
	}
}
