// Package guard verifies the access token of every call to a gRPC server.
package guard

import (
	"context"
	"errors"
	"log"
	"strings"
	"time"

	torii "libtorii.internal/go"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Guard has the interceptors of a server:
//
//	g := &guard.Guard{Verifier: verifier}
//	grpc.NewServer(grpc.UnaryInterceptor(g.Unary), grpc.StreamInterceptor(g.Stream))
//
// Handlers find the identity with [torii.AuthFromContext].
type Guard struct {
	Verifier *torii.Verifier
	// Requirements of single methods, by full name: "/shop.Orders/Delete".
	Requirements map[string]*torii.Requirements
	// Public methods need no token, such as "/grpc.health.v1.Health/Check".
	Public map[string]bool
}

// Unary verifies the token of a unary call.
func (g *Guard) Unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := g.authenticate(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// Stream verifies the token of a stream when it begins. The stream may outlive its token.
func (g *Guard) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := g.authenticate(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(server, &authenticated{stream, ctx})
}

type authenticated struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *authenticated) Context() context.Context { return s.ctx }

func (g *Guard) authenticate(ctx context.Context, method string) (context.Context, error) {
	if g.Public[method] {
		return ctx, nil
	}
	// The library refuses several values.
	header := strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ", ")
	var requirements []*torii.Requirements
	if of, ok := g.Requirements[method]; ok {
		requirements = append(requirements, of)
	}
	auth, err := g.Verifier.Authenticate(ctx, header, requirements...)
	if err != nil {
		log.Printf("%s: %v", method, err)
		return nil, refusal(ctx, err)
	}
	return torii.ContextWithAuth(ctx, auth), nil
}

// refusal returns the status of a refused call. The client does not learn the reason.
func refusal(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	var e *torii.Error
	if !errors.As(err, &e) {
		return status.Error(codes.Internal, "internal error")
	}
	switch {
	case errors.Is(err, torii.ErrToken):
		return status.Error(codes.Unauthenticated, e.PublicMessage)
	case errors.Is(err, torii.ErrPolicy):
		return status.Error(codes.PermissionDenied, e.PublicMessage)
	case errors.Is(err, torii.ErrKeys):
		unavailable := status.New(codes.Unavailable, e.PublicMessage)
		retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(max(e.RetryAfter, time.Second))}
		if detailed, err := unavailable.WithDetails(retry); err == nil {
			unavailable = detailed
		}
		return unavailable.Err()
	}
	return status.Error(codes.Internal, e.PublicMessage)
}
