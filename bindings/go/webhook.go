package torii

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unsafe"
)

// Webhook is what is known of a webhook that is genuine.
type Webhook struct {
	// ID is the same each time a webhook is delivered.
	ID     string
	SentAt time.Time
	// SecretIndex tells which of the secrets it was signed with.
	SecretIndex int
}

// WebhookOption changes how [VerifyWebhook] looks at the time.
type WebhookOption func(*webhookConfig)

type webhookConfig struct {
	tolerance time.Duration
	now       time.Time
}

// WithTolerance says how long before or after now a webhook may have been sent: whole seconds, 5
// minutes by default.
func WithTolerance(tolerance time.Duration) WebhookOption {
	return func(c *webhookConfig) { c.tolerance = tolerance }
}

// WithNow judges by this time instead of the system's.
func WithNow(now time.Time) WebhookOption {
	return func(c *webhookConfig) { c.now = now }
}

// VerifyWebhook tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with
// one of the secrets, "whsec_…", and sent lately. Several secrets are for the time while they are
// being changed. If it is not, err is of the kind [ErrWebhook]: answer 400, as [WriteError] does.
//
// The header is the request's; names in any case, and svix-id and so on when there is no webhook-id,
// webhook-timestamp or webhook-signature, will do. The body is that of the request before anything
// parsed it. A webhook can be delivered more than once, each time with the same ID: remember those
// of the last minutes if that does harm.
func VerifyWebhook(secrets []string, header http.Header, body []byte, options ...WebhookOption) (*Webhook, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	config := webhookConfig{tolerance: 5 * time.Minute, now: time.Now()}
	for _, option := range options {
		option(&config)
	}
	joined, err := joinSecrets(secrets)
	if err != nil {
		return nil, err
	}
	headers := webhookHeaders(header)
	var index C.size_t
	var sentAt C.int64_t
	s, sn := text(joined)
	i, in := text(headers[0])
	t, tn := text(headers[1])
	g, gn := text(headers[2])
	b, bn := (*C.char)(unsafe.Pointer(unsafe.SliceData(body))), C.size_t(len(body))
	now, tolerance := C.int64_t(config.now.Unix()), C.int64_t(math.Floor(config.tolerance.Seconds()))
	err = refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_webhook_verify_standard(s, sn, i, in, t, tn, g, gn, b, bn, now, tolerance, &index, &sentAt, e)
	})
	if err != nil {
		return nil, err
	}
	return &Webhook{ID: headers[0], SentAt: time.Unix(int64(sentAt), 0), SecretIndex: int(index)}, nil
}

// joinSecrets makes what C reads as so many secrets. An empty one would not count there.
func joinSecrets(secrets []string) (string, error) {
	for i, secret := range secrets {
		if secret == "" || strings.ContainsAny(secret, " \t\n\v\f\r") {
			return "", &Error{
				Status:  ErrInvalidConfig,
				Message: fmt.Sprintf("secrets: number %d: empty, or with white space in it", i+1),
			}
		}
	}
	return strings.Join(secrets, " "), nil
}

// webhookHeaders finds id, timestamp and signature; "" is what is missing.
func webhookHeaders(header http.Header) (found [3]string) {
	values := make(map[string][]string, len(header))
	for name, more := range header {
		name = strings.ToLower(name)
		values[name] = append(values[name], more...)
	}
	for _, prefix := range []string{"webhook-", "svix-"} {
		there := false
		for i, name := range []string{"id", "timestamp", "signature"} {
			value, ok := values[prefix+name]
			found[i] = strings.Join(value, ", ")
			there = there || ok
		}
		if there {
			break
		}
	}
	return found
}
