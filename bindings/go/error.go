package torii

// #include "shim.h"
import "C"

import (
	"errors"
	"time"
	"unsafe"
)

// Status is the reason of a failed call. It is itself an error, to compare with:
//
//	if errors.Is(err, torii.ErrTokenExpired) { … }
//
// Later releases of the library may add some: [ErrToken], [ErrKeys] and [ErrWebhook] match all of their
// kind.
type Status uint32

// The numbers of torii_status_t.
const (
	ErrInvalidArgument  Status = C.TORII_ERR_INVALID_ARGUMENT
	ErrInvalidConfig    Status = C.TORII_ERR_INVALID_CONFIG
	ErrBufferTooSmall   Status = C.TORII_ERR_BUFFER_TOO_SMALL
	ErrTokenMissing     Status = C.TORII_ERR_TOKEN_MISSING
	ErrTokenScheme      Status = C.TORII_ERR_TOKEN_SCHEME
	ErrTokenMalformed   Status = C.TORII_ERR_TOKEN_MALFORMED
	ErrTokenTooLarge    Status = C.TORII_ERR_TOKEN_TOO_LARGE
	ErrTokenAlgorithm   Status = C.TORII_ERR_TOKEN_ALGORITHM
	ErrTokenKeyUnknown  Status = C.TORII_ERR_TOKEN_KEY_UNKNOWN
	ErrTokenSignature   Status = C.TORII_ERR_TOKEN_SIGNATURE
	ErrTokenExpired     Status = C.TORII_ERR_TOKEN_EXPIRED
	ErrTokenNotYetValid Status = C.TORII_ERR_TOKEN_NOT_YET_VALID
	ErrTokenIssuer      Status = C.TORII_ERR_TOKEN_ISSUER
	ErrTokenAudience    Status = C.TORII_ERR_TOKEN_AUDIENCE
	ErrTokenClaim       Status = C.TORII_ERR_TOKEN_CLAIM
	ErrTokenRevoked     Status = C.TORII_ERR_TOKEN_REVOKED
	ErrTokenLifetime    Status = C.TORII_ERR_TOKEN_LIFETIME
	ErrPolicy           Status = C.TORII_ERR_POLICY
	ErrKeysUnavailable  Status = C.TORII_ERR_KEYS_UNAVAILABLE
	ErrKeysPending      Status = C.TORII_ERR_KEYS_PENDING
	ErrAPI              Status = C.TORII_ERR_API
	ErrTransport        Status = C.TORII_ERR_TRANSPORT
	ErrTimeout          Status = C.TORII_ERR_TIMEOUT
	ErrResponse         Status = C.TORII_ERR_RESPONSE
	ErrWebhookHeader    Status = C.TORII_ERR_WEBHOOK_HEADER
	ErrWebhookSignature Status = C.TORII_ERR_WEBHOOK_SIGNATURE
	ErrWebhookTimestamp Status = C.TORII_ERR_WEBHOOK_TIMESTAMP
	ErrInternal         Status = C.TORII_ERR_INTERNAL
)

// Kinds of errors, for [errors.Is].
var (
	// ErrToken: the token is missing or invalid. Answer 401.
	ErrToken = errors.New("torii: invalid token")
	// ErrKeys: signing keys unavailable; the token could not be verified. Answer 503, never 401.
	ErrKeys = errors.New("torii: signing keys unavailable")
	// ErrWebhook: the webhook is invalid. Answer 400.
	ErrWebhook = errors.New("torii: invalid webhook")
)

// String returns the name of the status in C, such as "TORII_ERR_TOKEN_EXPIRED".
func (s Status) String() string {
	return C.GoString(C.torii_status_name(C.uint32_t(s)))
}

// Error makes a status an error.
func (s Status) Error() string {
	return s.String()
}

// HTTP returns the HTTP status for your own client: 400, 401, 403, 503 or 500.
func (s Status) HTTP() int {
	return int(C.torii_status_http(C.uint32_t(s)))
}

// Is makes errors.Is know the kinds.
func (s Status) Is(target error) bool {
	switch target {
	case ErrToken:
		return s >= 100 && s < 150
	case ErrKeys:
		return s >= 200 && s < 300
	case ErrWebhook:
		return s >= 350 && s < 400
	}
	return false
}

// Error is a failed call. Use [errors.As] to read it.
type Error struct {
	Status Status
	// Message is one line that names the argument, option or claim at fault, for your log. It never
	// contains a token, a key or a secret.
	Message string
	// RetryAfter is how long to wait before a retry can help; 0 if unknown.
	RetryAfter time.Duration

	// PublicCode and PublicMessage are for your own client: they contain nothing that helps an
	// attacker.
	PublicCode    string
	PublicMessage string
	// WWWAuthenticate is the value of that header (RFC 6750) for a 401 or a 403, else "".
	WWWAuthenticate string
	// Issuer is the one whose keys are missing, for ErrKeysUnavailable and ErrKeysPending.
	Issuer string

	// HTTPStatus, Code, SupportID and Body are of the backend API's answer, for ErrAPI and
	// ErrResponse: its HTTP status, its error code, the id to name to torii's support, and the answer,
	// which may contain personal data.
	HTTPStatus int
	Code       string
	SupportID  string
	Body       string
	// Unsent reports whether nothing of an API request left this host, so that repeating it is safe.
	Unsent bool
}

// Error returns the message for your log, with the prefix "torii: ".
func (e *Error) Error() string {
	return "torii: " + e.Message
}

// Unwrap returns the status, for [errors.Is].
func (e *Error) Unwrap() error {
	return e.Status
}

// takeError makes an error of one of C's, and frees that.
func takeError(handle C.uintptr_t) error {
	var e C.go_error
	C.go_read_error(handle, &e)
	err := &Error{
		Status:          Status(e.status),
		Message:         copied(e.message.start, e.message.len),
		PublicCode:      copied(e.public_code.start, e.public_code.len),
		PublicMessage:   copied(e.public_message.start, e.public_message.len),
		WWWAuthenticate: copied(e.www_authenticate.start, e.www_authenticate.len),
		Issuer:          copied(e.issuer.start, e.issuer.len),
		HTTPStatus:      int(e.http_status),
		Code:            copied(e.code.start, e.code.len),
		SupportID:       copied(e.support_id.start, e.support_id.len),
		Body:            copied(e.body.start, e.body.len),
		Unsent:          bool(e.unsent),
	}
	if e.retry_after >= 0 {
		err.RetryAfter = time.Duration(e.retry_after) * time.Second
	}
	C.go_free_error(handle)
	return err
}

// refused makes a call of C, and returns its error.
func refused(call func(err **C.torii_error_t) C.torii_status_t) error {
	var e *C.torii_error_t
	if call(&e) != C.TORII_OK {
		return takeError(C.uintptr_t(uintptr(unsafe.Pointer(e))))
	}
	return nil
}
