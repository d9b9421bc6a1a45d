<?php

declare(strict_types=1);

namespace Torii\Tests;

/** php-fpm with three workers, or another number, behind nginx. */
final class FpmServer
{
    private string $folder;

    /** @var list<resource> */
    private array $processes = [];

    /** @var list<resource> kept open, or php-fpm would end when it writes */
    private array $logs = [];

    /**
     * @param array<string, string> $ini settings of php.ini
     * @param array<string, string> $environment of the workers
     */
    public function __construct(
        array $ini,
        array $environment,
        private readonly string $script = 'index.php',
        private readonly int $workers = 3,
    ) {
        $this->folder = sys_get_temp_dir() . '/' . uniqid('torii-fpm-');
        mkdir($this->folder);
        $this->startFpm($ini, $environment);
        $this->startNginx();
    }

    /**
     * @param list<string> $headers
     * @return array{int, array<string, string>, array<string, mixed>} status, headers and JSON body
     */
    public function get(string $path, string ...$headers): array
    {
        return $this->receive($this->send($path, ...$headers));
    }

    /**
     * @param list<string> $headers
     * @return array{int, array<string, string>, array<string, mixed>} status, headers and JSON body
     */
    public function post(string $path, string $body, string ...$headers): array
    {
        return $this->receive($this->request("POST $path", $body, 'Content-Length: ' . strlen($body), ...$headers));
    }

    /** @return array{int, array<string, string>, string} status, headers and body */
    public function exchange(string $method, string $path, string $body, string ...$headers): array
    {
        if ($body !== '') {
            $headers[] = 'Content-Length: ' . strlen($body);
        }
        $answer = stream_get_contents($this->request("$method $path", $body, ...$headers));
        [$head, $body] = explode("\r\n\r\n", $answer, 2);
        preg_match_all('/^([^:\r\n]+): (.*)\r$/m', "$head\r\n", $found);
        $headers = array_combine(array_map('strtolower', $found[1]), $found[2]);
        if (($headers['transfer-encoding'] ?? '') === 'chunked') {
            $body = preg_replace('/(?:^|\r\n)[0-9a-f]+\r\n(?:\r\n)?/', '', $body);
        }
        return [(int) substr($head, 9, 3), $headers, $body];
    }

    /** @return resource a connection to be read with receive() */
    public function send(string $path, string ...$headers): mixed
    {
        return $this->request("GET $path", '', ...$headers);
    }

    /** @return resource */
    private function request(string $what, string $body, string ...$headers): mixed
    {
        $connection = stream_socket_client("unix://$this->folder/http.sock", timeout: 120);
        $lines = ["$what HTTP/1.1", 'Host: localhost', 'Connection: close', ...$headers, '', $body];
        fwrite($connection, implode("\r\n", $lines));
        return $connection;
    }

    /**
     * @param resource $connection
     * @return array{int, array<string, string>, array<string, mixed>}
     */
    public function receive(mixed $connection): array
    {
        [$head, $body] = explode("\r\n\r\n", stream_get_contents($connection), 2);
        preg_match_all('/^([^:\r\n]+): (.*)\r$/m', "$head\r\n", $headers);
        // nginx answers in chunks.
        preg_match('/\{.*\}/s', $body, $json);
        return [
            (int) substr($head, 9, 3),
            array_combine(array_map('strtolower', $headers[1]), $headers[2]),
            json_decode($json[0] ?? 'null', true) ?? ['body' => $body],
        ];
    }

    public function stop(): void
    {
        foreach ($this->processes as $process) {
            proc_terminate($process);
            proc_close($process);
        }
        array_map('unlink', array_filter(glob("$this->folder/*"), 'is_file'));
        array_map('rmdir', glob("$this->folder/*", GLOB_ONLYDIR));
        rmdir($this->folder);
    }

    private function startFpm(array $ini, array $environment): void
    {
        $user = posix_getpwuid(posix_geteuid())['name'];
        $lines = [
            '[global]', 'error_log = /proc/self/fd/2', 'daemonize = no', '[www]', "user = $user",
            "listen = $this->folder/fpm.sock", 'pm = static', "pm.max_children = $this->workers", 'catch_workers_output = yes',
        ];
        foreach ($environment as $name => $value) {
            $lines[] = "env[$name] = \"$value\"";
        }
        file_put_contents("$this->folder/fpm.conf", implode("\n", $lines) . "\n");
        $command = [getenv('PHP_FPM'), '--force-stderr', '--allow-to-run-as-root', '-y', "$this->folder/fpm.conf"];
        foreach ($ini as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        // The dynamic linker of the master has to find the library for ffi.preload.
        $path = ['LD_LIBRARY_PATH' => dirname(getenv('TORII_LIBRARY'))];
        $this->processes[] = proc_open($command, [2 => ['pipe', 'w']], $pipes, null, $path + getenv());
        $log = '';
        while (!str_contains($log, 'ready to handle connections')) {
            $line = fgets($pipes[2]);
            if ($line === false) {
                throw new \RuntimeException("php-fpm ended: $log");
            }
            $log .= $line;
        }
        $this->logs[] = $pipes[2];
    }

    private function startNginx(): void
    {
        $user = posix_getpwuid(posix_geteuid())['name'];
        $scripts = __DIR__ . '/fpm';
        file_put_contents("$this->folder/nginx.conf", <<<CONF
            daemon off;
            user $user;
            worker_processes 1;
            pid $this->folder/nginx.pid;
            error_log $this->folder/nginx.log;
            events {}
            http {
                access_log off;
                large_client_header_buffers 4 32k;
                client_body_temp_path $this->folder/body;
                fastcgi_temp_path $this->folder/fastcgi;
                proxy_temp_path $this->folder/proxy;
                uwsgi_temp_path $this->folder/uwsgi;
                scgi_temp_path $this->folder/scgi;
                server {
                    listen unix:$this->folder/http.sock;
                    location / {
                        include /etc/nginx/fastcgi_params;
                        fastcgi_param SCRIPT_FILENAME "$scripts/$this->script";
                        fastcgi_pass unix:$this->folder/fpm.sock;
                    }
                    location = /webhooks {
                        include /etc/nginx/fastcgi_params;
                        fastcgi_param SCRIPT_FILENAME "$scripts/webhooks.php";
                        fastcgi_pass unix:$this->folder/fpm.sock;
                    }
                }
            }
            CONF);
        $this->processes[] = proc_open(['nginx', '-c', "$this->folder/nginx.conf"], [2 => ['pipe', 'w']], $pipes);
        $deadline = microtime(true) + 120;
        while (!@stream_socket_client("unix://$this->folder/http.sock")) {
            if (microtime(true) > $deadline) {
                throw new \RuntimeException('nginx does not answer: ' . stream_get_contents($pipes[2]));
            }
            usleep(10_000);
        }
    }
}
