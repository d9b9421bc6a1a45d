<?php

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Middleware;
use Torii\Requirement;
use Torii\Verifier;

// An application behind the middleware, whose options come with the path: /header=X-Token/cookie=c.
require __DIR__ . '/../bootstrap.php';

$factory = new Psr17Factory();
parse_str(strtr(trim($_SERVER['REQUEST_URI'], '/'), '/', '&'), $options);
$verifier = new Verifier(
    getenv('TORII_ISSUER'),
    require: isset($options['verified']) ? [Requirement::EmailVerified] : [],
    keyCacheDir: getenv('TORII_KEY_CACHE') ?: null,
);
$middleware = new Middleware(
    $verifier,
    $factory,
    header: $options['header'] ?? 'Authorization',
    cookie: $options['cookie'] ?? null,
    optional: isset($options['optional']),
);

$request = $factory->createServerRequest($_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER);
foreach (getallheaders() as $name => $value) {
    $request = $request->withHeader($name, $value);
}

$response = $middleware->process($request, new class ($factory, $options) implements RequestHandlerInterface {
    public function __construct(private readonly Psr17Factory $factory, private readonly array $options)
    {
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        usleep(1000 * (int) ($this->options['busy'] ?? 0));
        $user = $request->getAttribute(Middleware::ATTRIBUTE)?->userId ?? 'nobody';
        $response = $this->factory->createResponse();
        $response->getBody()->write(json_encode(['user' => $user, 'pid' => getmypid()]));
        return $response;
    }
});

foreach ($response->getHeaders() as $name => $values) {
    header("$name: " . implode(', ', $values));
}
// Last, since PHP sets the status to 401 with the header WWW-Authenticate.
http_response_code($response->getStatusCode());
echo $response->getBody();
