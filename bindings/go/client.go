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

// Client calls torii's backend API for the environment of a secret key. Create one at startup; any
// number of goroutines may use it at once.
//
// A call returns when its context ends, but its request may still take effect.
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

// NewClient creates a client for a secret key, "sk_live_…" or "sk_test_…". Sends nothing yet.
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
// such as "/api/server/v1/users". The body is nil, or encodes to a JSON object; the answer is decoded
// into the value that into points to, unless it is nil.
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

// A call is a function of C with all but its last two arguments.
type call = func(out **C.torii_json_t, err **C.torii_error_t) C.torii_status_t

// call makes a call and decodes its answer into the value that into points to, unless it is nil.
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

// do makes a call without an answer.
func (c *Client) do(ctx context.Context, f func(err **C.torii_error_t) C.torii_status_t) error {
	return c.call(ctx, nil, func(_ **C.torii_json_t, e **C.torii_error_t) C.torii_status_t { return f(e) })
}

// fetch makes a call and decodes its answer as a T.
func fetch[T any](ctx context.Context, c *Client, f call) (*T, error) {
	answer := new(T)
	if err := c.call(ctx, answer, f); err != nil {
		return nil, err
	}
	return answer, nil
}

// limit returns a page size. One that does not fit becomes a number that the library refuses.
func limit(n int) C.uint32_t {
	return C.uint32_t(min(uint64(n), 1<<32-1))
}

// ClientOption is an option of [NewClient].
type ClientOption func(*clientConfig) error

type clientConfig struct {
	options *C.torii_client_options_t
}

// WithAPIURL sets the base URL of the API. Default: "https://api.torii.so".
func WithAPIURL(url string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(url)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_api_url(c.options, p, n, e)
		})
	}
}

// WithTimeout sets the timeout of a call: 100 ms to 10 minutes. It includes connecting, every retry and
// reading the answer. Default: 30 s. A context may end the call sooner.
func WithTimeout(timeout time.Duration) ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_timeout_ms(c.options, count(timeout, time.Millisecond), e)
		})
	}
}

// WithConnectTimeout sets the timeout of connecting: 100 ms to 60 s. Default: 5 s.
func WithConnectTimeout(timeout time.Duration) ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_connect_timeout_ms(c.options, count(timeout, time.Millisecond), e)
		})
	}
}

// WithMaxRetries sets how often a call is retried: 0 to 10 times. Default: 2.
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

// WithUserAgent appends the name of your program to User-Agent, such as "shop/1.2".
func WithUserAgent(suffix string) ClientOption {
	return func(c *clientConfig) error {
		p, n := text(suffix)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_user_agent_suffix(c.options, p, n, e)
		})
	}
}

// WithInsecureAPI allows plain http to hosts other than loopback. Anyone on the path can then read the
// secret key.
func WithInsecureAPI() ClientOption {
	return func(c *clientConfig) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_client_options_set_allow_http(c.options, true, e)
		})
	}
}
