<?php

declare(strict_types=1);

namespace Torii\Tests;

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Middleware;
use Torii\Requirement;
use Torii\Requirements;
use Torii\Verifier;

/** The configurations of tests/behaviour/adapters.json as applications: one verifier, a middleware for each route. */
final class Adapters implements RequestHandlerInterface
{
    private readonly Psr17Factory $factory;
    private readonly Middleware $others;

    /** @var array<string, Middleware> */
    private readonly array $routes;

    /** @param array<string, mixed> $configuration */
    public function __construct(array $configuration, string $url)
    {
        $this->factory = new Psr17Factory();
        $verifier = new Verifier(
            "$url/{$configuration['issuer']}",
            audiences: $configuration['audiences'] ?? [],
            realm: $configuration['realm'] ?? null,
            resourceMetadata: $configuration['resource_metadata'] ?? null,
            requirements: self::requirements($configuration['requirements'] ?? null),
        );
        $options = array_intersect_key($configuration, array_flip(['header', 'cookie', 'optional', 'skip']));
        $this->others = new Middleware($verifier, $this->factory, ...$options);
        $this->routes = array_map(fn ($route) => new Middleware(
            $verifier,
            $this->factory,
            ...[...$options, 'requirements' => self::requirements($route)],
        ), $configuration['routes'] ?? []);
    }

    /** @return array<string, mixed> */
    public static function corpus(): array
    {
        static $corpus = null;
        return $corpus ??= json_decode(
            file_get_contents(__DIR__ . '/../../../tests/behaviour/adapters.json'),
            true,
            flags: JSON_THROW_ON_ERROR,
        );
    }

    public function answer(ServerRequestInterface $request): ResponseInterface
    {
        return ($this->routes[$request->getUri()->getPath()] ?? $this->others)->process($request, $this);
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        return $this->factory->createResponse()
            ->withHeader('Handler-User', $request->getAttribute(Middleware::ATTRIBUTE)?->userId ?? '-')
            ->withBody($this->factory->createStream((string) $request->getBody()));
    }

    /** @param ?array<string, mixed> $description */
    public static function requirements(?array $description): ?Requirements
    {
        if ($description === null) {
            return null;
        }
        $flag = static fn ($name) => constant(Requirement::class . '::' . str_replace('_', '', ucwords($name, '_')));
        return new Requirements(
            array_map($flag, $description['flags'] ?? []),
            organizations: array_map(array_values(...), $description['organizations'] ?? []),
            claimsJson: array_column($description['claims'] ?? [], 'json', 'pointer'),
        );
    }
}
