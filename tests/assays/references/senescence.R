# References of the senescence assay, made with R 4.2.2, VGAM 1.1-7 and survival 3.5-3 (Debian r-base-core, r-cran-vgam,
# r-cran-survival):
#   Rscript senescence.R > senescence.json
# Every number is printed with 15 significant digits; the inputs are printed beside the answers.
suppressMessages({library(VGAM); library(survival)})
show <- function(x) paste(trimws(formatC(x, digits = 15, format = "g")), collapse = ", ")
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  sprintf('"%s": {%s}', .name, paste(body, collapse = ", "))
}
out <- c()
root <- function(f, low, high) uniroot(f, c(low, high), tol = 1e-13)$root
cut2 <- function(n, means) n * log1p(qf(0.95, 1, n - means) / (n - means)) / 2

# two groups of different donors: beta-binomial with one correlation
y <- c(52, 61, 47, 58, 12, 77, 30); n <- c(200, 210, 190, 205, 200, 180, 150)
y0 <- c(4, 6, 3, 5, 9, 11); n0 <- c(200, 200, 150, 210, 190, 200)
arm <- rep(1:0, c(length(y), length(y0))); yy <- c(y, y0); nn <- c(n, n0)
fit <- vglm(cbind(yy, nn - yy) ~ arm, betabinomial(zero = 2), epsilon = 1e-14, maxit = 500)
ll <- function(p) {
  share <- plogis(p[1] + p[2] * arm)
  sum(VGAM::dbetabinom(yy, nn, share, rho = plogis(p[3]), log = TRUE))
}
polish <- function(f, start) {
  for (i in 1:6) start <- optim(start, function(p) -f(p), method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))$par
  start
}
best <- polish(ll, c(coef(fit)[[1]], coef(fit)[[3]], coef(fit)[[2]]))
profile <- function(b) { f <- function(p) ll(c(p[1], b, p[2])); f(polish(f, best[c(1, 3)])) }
stopifnot(max(abs(best - coef(fit)[c(1, 3, 2)])) < 1e-5)
half <- cut2(length(yy), 2)
ci <- c(root(function(b) profile(b) - ll(best) + half, best[2] - 4, best[2]),
        root(function(b) profile(b) - ll(best) + half, best[2], best[2] + 4))
ratio <- 2 * (ll(best) - profile(0)); m <- length(yy)
out <- c(out, entry("betabinomial.groups", y = y, n = n, y0 = y0, n0 = n0, log_odds_ratio = best[2],
  correlation = plogis(best[3]), ci = exp(ci),
  p = pf((m - 2) * expm1(ratio / m), 1, m - 2, lower.tail = FALSE)))

# Welch on the same shares
t <- t.test(y / n, y0 / n0)
out <- c(out, entry("welch.shares", y = y, n = n, y0 = y0, n0 = n0, difference = -unname(diff(t$estimate)),
  ci = t$conf.int, p = t$p.value))

# one donor: conditional odds ratio with its exact interval; fisher.test agrees to the tolerance of its root finder
exact <- function(a, n1, c, n2) {
  k <- max(0, a + c - n2):min(n1, a + c); w <- dhyper(k, n1, n2, a + c, log = TRUE)
  p <- function(b) { l <- w + b * k; l <- exp(l - max(l)); l / sum(l) }
  e <- exp(c(root(function(b) sum(p(b) * k) - a, -40, 40), root(function(b) sum(p(b)[k >= a]) - 0.025, -40, 40),
             root(function(b) sum(p(b)[k <= a]) - 0.025, -40, 40)))
  f <- fisher.test(matrix(c(a, n1 - a, c, n2 - c), 2))
  stopifnot(all(abs(log(c(f$estimate, f$conf.int)) - log(e)) < 1e-2))
  e
}
a <- c(52, 7, 140); c0 <- c(4, 9, 60)
e <- mapply(function(a, c) exact(a, 200, c, 180), a, c0)
out <- c(out, entry("fisher.exact", y = a, n = rep(200, 3), y0 = c0, n0 = rep(180, 3), odds_ratio = e[1, ],
  low = e[2, ], high = e[3, ]))

# the same donors in both arms: normal log odds ratios over donors, each donor's level conditioned away
y <- c(52, 61, 47, 58, 12, 77, 30, 19); n <- c(200, 210, 190, 205, 200, 180, 150, 170)
y0 <- c(4, 6, 3, 5, 9, 11, 2, 0); n0 <- c(200, 200, 150, 210, 190, 200, 160, 200)
donor <- function(i) {
  k <- max(0, y[i] + y0[i] - n0[i]):min(n[i], y[i] + y0[i])
  w <- dhyper(k, n[i], n0[i], y[i] + y0[i], log = TRUE)
  one <- function(d) { l <- w + d * k; w[k == y[i]] + d * y[i] - max(l) - log(sum(exp(l - max(l)))) }
  function(delta, tau) {
    f <- function(z) sapply(z, function(x) exp(one(delta + tau * x) + dnorm(x, log = TRUE)))
    log(integrate(f, -12, 12, rel.tol = 1e-12, subdivisions = 1000)$value)
  }
}
donors <- lapply(seq_along(y), donor)
ll <- function(p) sum(sapply(donors, function(f) f(p[1], exp(p[2]))))
best <- polish(ll, c(2.4, -0.3))
inner <- function(d) -optimize(function(s) -ll(c(d, s)), log(c(0.1, 8)), tol = 1e-10)$objective
half <- cut2(length(y), 1)
ci <- c(root(function(d) inner(d) - ll(best) + half, best[1] - 3, best[1]),
        root(function(d) inner(d) - ll(best) + half, best[1], best[1] + 3))
ratio <- 2 * (ll(best) - inner(0)); m <- length(y)
out <- c(out, entry("mixed.conditional", y = y, n = n, y0 = y0, n0 = n0, odds_ratio = exp(best[1]), tau = exp(best[2]),
  ci = exp(ci), p = pf((m - 1) * expm1(ratio / m), 1, m - 1, lower.tail = FALSE)))

# donors that agree: the exact conditional (Cox) estimate that they have in common
y <- c(40, 44, 37, 42, 39, 41); y0 <- c(9, 12, 10, 11, 8, 10)
common <- unname(mantelhaen.test(array(rbind(y, 200 - y, y0, 200 - y0), c(2, 2, 6)), exact = TRUE)$estimate)
out <- c(out, entry("mantelhaen.exact", y = y, n = rep(200, 6), y0 = y0, n0 = rep(200, 6), odds_ratio = common))

# what remains after wash-out: ratios at which a paired t-test does not reject
washed <- c(0.21, 0.34, 0.26, 0.18, 0.30); kept <- c(0.52, 0.66, 0.61, 0.47, 0.70)
p <- function(r) t.test(washed - r * kept)$p.value
r <- mean(washed) / mean(kept)
out <- c(out, entry("fieller", washed = washed, kept = kept, ratio = r,
  ci = c(root(function(x) p(x) - 0.05, r - 1, r - 1e-9), root(function(x) p(x) - 0.05, r + 1e-9, r + 1))))

# do the fields of a donor differ by counting alone? Pearson's chi-squared about each donor's own share
y <- c(12, 9, 21, 4, 6, 5, 30, 33, 18); n <- c(60, 55, 70, 50, 60, 40, 80, 75, 66); who <- factor(rep(1:3, each = 3))
fit <- glm(cbind(y, n - y) ~ who, binomial, control = glm.control(epsilon = 1e-15, maxit = 100))
chi <- sum(residuals(fit, "pearson")^2)
out <- c(out, entry("pearson.fields", y = y, n = n, donor = as.integer(who), dispersion = chi / fit$df.residual,
  p = pchisq(chi, fit$df.residual, lower.tail = FALSE)))

cat("{\n", paste(out, collapse = ",\n "), "\n}\n", sep = " ")
