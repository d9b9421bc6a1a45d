package torii

// #include "shim.h"
import "C"

import (
	"net/http"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// Webhook is a verified webhook.
type Webhook struct {
	// ID is the same each time a webhook is delivered: ignore IDs you have processed.
	ID     string
	SentAt time.Time
}

// WebhookOption is an option of [NewWebhookVerifier].
type WebhookOption func(*C.torii_webhook_t) error

// WithSecret accepts a further secret, while secrets are being rotated.
func WithSecret(secret string) WebhookOption {
	return func(webhook *C.torii_webhook_t) error {
		p, n := text(secret)
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_webhook_add_secret(webhook, p, n, e)
		})
	}
}

// WithTolerance sets how far the timestamp may lie before or after now, in whole seconds. Default: 5
// minutes.
func WithTolerance(tolerance time.Duration) WebhookOption {
	return func(webhook *C.torii_webhook_t) error {
		return refused(func(e **C.torii_error_t) C.torii_status_t {
			return C.torii_webhook_set_tolerance_seconds(webhook, count(tolerance, time.Second), e)
		})
	}
}

// WebhookVerifier verifies webhooks signed as Standard Webhooks 1.0.0 describes. Any number of
// goroutines may use one at once.
type WebhookVerifier struct {
	handle  *handle
	webhook *C.torii_webhook_t
}

// NewWebhookVerifier creates a webhook verifier for a secret, "whsec_…".
func NewWebhookVerifier(secret string, options ...WebhookOption) (*WebhookVerifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	var webhook *C.torii_webhook_t
	p, n := text(secret)
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_webhook_new(p, n, &webhook, e)
	})
	if err != nil {
		return nil, err
	}
	for _, option := range options {
		if err := option(webhook); err != nil {
			C.torii_webhook_free(webhook)
			return nil, err
		}
	}
	v := &WebhookVerifier{&handle{free: func() { C.torii_webhook_free(webhook) }}, webhook}
	runtime.AddCleanup(v, (*handle).close, v.handle)
	return v, nil
}

// Close frees the webhook verifier and wipes its secrets. Later calls fail with [ErrClosed].
func (v *WebhookVerifier) Close() error {
	v.handle.close()
	return nil
}

// Verify verifies a webhook. The header is the request's: webhook-id, webhook-timestamp and
// webhook-signature, or svix-id and so on if none of these is present. The body is that of the request
// as received, before any parsing. An error of the kind [ErrWebhook] is an invalid webhook: answer 400,
// as [WriteError] does.
func (v *WebhookVerifier) Verify(header http.Header, body []byte) (*Webhook, error) {
	return v.VerifyAt(header, body, time.Now())
}

// VerifyAt verifies a webhook as Verify does, by another clock.
func (v *WebhookVerifier) VerifyAt(header http.Header, body []byte, now time.Time) (*Webhook, error) {
	if !v.handle.acquire() {
		return nil, ErrClosed
	}
	defer v.handle.release()
	headers := webhookHeaders(header)
	var sentAt C.int64_t
	i, in := text(headers[0])
	t, tn := text(headers[1])
	s, sn := text(headers[2])
	b, bn := (*C.char)(unsafe.Pointer(unsafe.SliceData(body))), C.size_t(len(body))
	err := refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_webhook_verify(v.webhook, i, in, t, tn, s, sn, b, bn, C.int64_t(now.Unix()), &sentAt, e)
	})
	if err != nil {
		return nil, err
	}
	return &Webhook{ID: headers[0], SentAt: time.Unix(int64(sentAt), 0)}, nil
}

// webhookHeaders returns id, timestamp and signature; "" if missing.
func webhookHeaders(header http.Header) (found [3]string) {
	values := make(map[string][]string, len(header))
	for name, more := range header {
		name = strings.ToLower(name)
		values[name] = append(values[name], more...)
	}
	for _, prefix := range []string{"webhook-", "svix-"} {
		present := false
		for i, name := range []string{"id", "timestamp", "signature"} {
			value, ok := values[prefix+name]
			found[i] = strings.Join(value, ", ")
			present = present || ok
		}
		if present {
			break
		}
	}
	return found
}
