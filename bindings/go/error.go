package torii

// #include "shim.h"
import "C"

import (
	"errors"
	"time"
)

// Status tells why a call failed. It is itself an error, to be compared with:
//
//	if errors.Is(err, torii.ErrTokenExpired) { … }
//
// Later releases of the library may add some; [ErrToken], [ErrKeys] and [ErrWebhook] stand for all of
// their kind.
type Status uint32

// The numbers of torii_status_t.
const (
	ErrInvalidArgument  Status = C.TORII_ERR_INVALID_ARGUMENT
	ErrInvalidConfig    Status = C.TORII_ERR_INVALID_CONFIG
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

// Kinds of errors, for [errors.Is]. What is none of them is about neither a token nor a webhook.
var (
	// ErrToken: the token is missing or bad. Answer 401.
	ErrToken = errors.New("torii: the token is bad")
	// ErrKeys: nothing can be said about the token, since the issuer's keys cannot be had. Answer
	// 503, never 401: the user may be who they say.
	ErrKeys = errors.New("torii: the issuer's keys cannot be had")
	// ErrWebhook: the webhook is not genuine. Answer 400.
	ErrWebhook = errors.New("torii: the webhook is not genuine")
)

// String is the name that C gives the status, as in "TORII_ERR_TOKEN_EXPIRED".
func (s Status) String() string {
	return C.GoString(C.torii_status_name(C.uint32_t(s)))
}

// Error makes a status an error.
func (s Status) Error() string {
	return s.String()
}

// HTTP is what a server that meets this status answers its own client: 400, 401, 403, 503 or
// 500.
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

// Error is what libtorii says of a call that failed. Use [errors.As] to look into it.
type Error struct {
	Status Status
	// Message is one line that names the argument, option or claim at fault. It never holds a
	// token, a key or a secret.
	Message string
	// RetryAfter says when trying again can help; 0 when that is not known.
	RetryAfter time.Duration

	// What the backend API answered, for ErrAPI and ErrResponse: its HTTP status, what it calls the
	// problem, what to name to torii's support, and the answer itself, which may be about people.
	HTTPStatus int
	Code       string
	SupportID  string
	Body       string
}

func (e *Error) Error() string {
	return "torii: " + e.Message
}

// Unwrap gives the status, for [errors.Is].
func (e *Error) Unwrap() error {
	return e.Status
}

// takeError makes an error of one of C's, and frees that.
func takeError(e *C.torii_error_t) error {
	var n C.size_t
	borrowed := func(p *C.char) string { return copied(p, n) }

	defer C.torii_error_free(e)
	err := &Error{
		Status:     Status(C.torii_error_status(e)),
		Message:    borrowed(C.torii_error_message(e, &n)),
		HTTPStatus: int(C.torii_error_http_status(e)),
		Code:       borrowed(C.torii_error_code(e, &n)),
		SupportID:  borrowed(C.torii_error_support_id(e, &n)),
		Body:       borrowed(C.torii_error_body(e, &n)),
	}
	if seconds := C.torii_error_retry_after(e); seconds >= 0 {
		err.RetryAfter = time.Duration(seconds) * time.Second
	}
	return err
}

// refused calls a function of C's that can only fail with INVALID_ARGUMENT or the like, and says how.
func refused(call func(err **C.torii_error_t) C.torii_status_t) error {
	var e *C.torii_error_t
	if call(&e) != C.TORII_OK {
		return takeError(e)
	}
	return nil
}
