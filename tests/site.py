#!/usr/bin/env python3
"""site SITE: opens the site of `make docs` in headless Chromium, as a reader would.

It looks a function up with the search of the C reference and follows the result, finds a page with the search of the
pages, and goes from the first page to the reference of each language, where it finds a name.
"""

import functools
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

# For an event that is certain to come, on a busy machine.
DEADLINE = 180


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1400,1000"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def until(driver, condition, wanted=""):
    return WebDriverWait(driver, DEADLINE).until(lambda _: condition(), f"{driver.current_url}: {wanted}")


def reference(driver, base):
    driver.get(f"{base}/c/index.html")
    field = until(driver, lambda: driver.find_element(By.ID, "MSearchField"))
    driver.execute_script("arguments[0].focus()", field)
    field.send_keys("torii_verify_into")

    def result():
        for frame in driver.find_elements(By.ID, "MSearchResults"):
            driver.switch_to.frame(frame)
            found = [link for link in driver.find_elements(By.CSS_SELECTOR, ".SRResult a.SRSymbol, .SRResult a")
                     if link.is_displayed() and "torii_verify_into" in link.text]
            if found:
                return found[0].get_attribute("href")
            driver.switch_to.default_content()
        return None

    target = until(driver, result)
    driver.switch_to.default_content()
    driver.get(target)
    text = until(driver, lambda: driver.find_element(By.TAG_NAME, "body").text)
    assert "TORII_ERR_BUFFER_TOO_SMALL" in text, text[:2000]


def pages(driver, base):
    driver.get(f"{base}/index.html?search=impersonation")
    link = until(driver, lambda: next(iter(driver.find_elements(By.CSS_SELECTOR, "#mdbook-searchresults a, #searchresults a")), None))
    driver.get(link.get_attribute("href"))
    assert "mpersonat" in driver.find_element(By.TAG_NAME, "main").text


# By the text of the link on the first page: the links to follow from there, and what the last page says.
REFERENCES = {
    "C": (["Verifying tokens"], "torii_verify_token_nowait"),
    "C++": (["torii::verifier"], "verify_nowait (std::string_view token"),
    "Go": ([], "func NewVerifier(issuer string, options ...VerifierOption) (*Verifier, error)"),
    "Node.js": (["libtorii", "ToriiVerifier"], "Verifies a token"),
    "PHP": (["Verifier"], "authenticate(string $header, ?Requirements $requirements = null): Auth"),
    "Python": ([], "def verify_token"),
    "Ruby": (["Torii::Verifier"], "#authenticate(header, requirements: nil)"),
    "Rust": (["Verifier"], "pub fn authenticate"),
}


def follow(driver, text):
    # The last: the table of contents comes first.
    link = until(driver, lambda: driver.find_elements(By.LINK_TEXT, text), f"a link {text!r}")[-1]
    driver.get(link.get_attribute("href"))


def way_in(driver, base):
    """Goes to each reference as a reader would, and back by the links on top of it."""
    for name, (steps, text) in REFERENCES.items():
        driver.get(f"{base}/index.html")
        for step in [name, *steps]:
            follow(driver, step)
        until(driver, lambda: text in driver.find_element(By.TAG_NAME, "body").text, text)
        if name not in ("Go", "PHP"):  # whose pages have the table of contents
            links = driver.find_elements(By.CSS_SELECTOR, ".libtorii a")
            assert links[0].get_attribute("href") == f"{base}/index.html", driver.current_url
            assert [link.text for link in links[1:]] == list(REFERENCES), driver.current_url


def main(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    driver = browser()
    try:
        for check in (way_in, pages, reference):
            check(driver, base)
            print(f"{check.__name__}: ok")
    finally:
        driver.quit()


if __name__ == "__main__":
    main(sys.argv[1])
