# References for tests/assays/test_response.py, made with R 4.2.2 and brglm2 (Debian r-base-core, r-cran-brglm2):
#   Rscript response.R > response.json
# All tables are made up. 15 significant digits. glm runs until it stands (epsilon 1e-14). Profile intervals are where
# the likelihood ratio of a refit with the coefficient as offset reaches qchisq(0.95, 1); confint() interpolates and is
# stored beside it. Firth: estimates by brglm2 (type AS_mean); its profile from the penalised likelihood, maximised over
# the other coefficients.
suppressMessages(library(brglm2))
show <- function(x) {
  if (is.character(x)) return(paste0('"', x, '"', collapse = ", "))
  text <- trimws(formatC(as.numeric(x), digits = 15, format = "g"))
  text[is.infinite(x)] <- ifelse(x[is.infinite(x)] > 0, "1e999", "-1e999")
  text[is.na(x)] <- "null"
  paste(text, collapse = ", ")
}
out <- c()
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  out <<- c(out, sprintf('"%s": {%s}', .name, paste(body, collapse = ", ")))
}
tight <- glm.control(epsilon = 1e-14, maxit = 500)
cut <- qchisq(0.95, 1)
ends <- function(fall, estimate, error) {
  f <- function(b) fall(b) - cut
  root <- function(side) {
    reach <- 2
    while (f(estimate + side * reach * error) < 0) reach <- 1.5 * reach
    uniroot(f, sort(estimate + side * c(0, reach) * error), tol = 1e-13 * error, maxiter = 5000)$root
  }
  c(root(-1), root(1))
}
delong <- function(level, y) {
  x <- level[y == 1]; z <- level[y == 0]
  wins <- outer(x, z, ">") + 0.5 * outer(x, z, "==")
  auc <- mean(wins)
  se <- sqrt(var(rowMeans(wins)) / length(x) + var(colMeans(wins)) / length(z)) / (auc * (1 - auc))
  c(auc, plogis(qlogis(auc) + c(-1, 1) * qnorm(0.975) * se))
}
logistic <- function(name, y, level, age = NULL, risk = NULL) {
  data <- data.frame(y, level)
  if (!is.null(age)) { data$age <- age; data$risk <- factor(risk) }
  fit <- glm(y ~ ., binomial, data, control = tight)
  rest <- data[names(data) != "level"]
  fall <- function(b) glm(y ~ . , binomial, rest, offset = b * (level - mean(level)), control = tight)$deviance - fit$deviance
  b <- coef(fit)[["level"]]; se <- coef(summary(fit))["level", 2]
  inputs <- list(.name = name, y = y, level = level)
  if (!is.null(age)) inputs <- c(inputs, list(age = age, risk = risk))
  do.call(entry, c(inputs, list(estimate = b, interval = ends(fall, b, se), ratio = fall(0),
    p = pchisq(fall(0), 1, lower.tail = FALSE), confint = suppressMessages(confint(fit, "level")), auc = delong(level, y))))
}
firth <- function(name, y, level, age = NULL) {
  x <- cbind(1, level, age)
  fit <- glm(y ~ x - 1, family = binomial, method = "brglm_fit", type = "AS_mean", epsilon = 1e-13, maxit = 5000)
  penalised <- function(b) {
    eta <- drop(x %*% b); p <- plogis(eta)
    sum(plogis(eta * (2 * y - 1), log.p = TRUE)) + 0.5 * as.numeric(determinant(t(x) %*% (x * (p * (1 - p))))$modulus)
  }
  b <- unname(coef(fit)); peak <- penalised(b)
  profile <- function(value) {
    f <- function(free) -penalised(append(free, value, 1))
    free <- b[-2]
    if (length(free) == 1) return(-optimize(f, free + c(-60, 60), tol = 1e-13)$objective)
    for (i in 1:4) free <- optim(free, f, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000, parscale = abs(b[-2])))$par
    -f(free)
  }
  fall <- function(value) 2 * (peak - profile(value))
  inputs <- list(.name = name, y = y, level = level)
  if (!is.null(age)) inputs <- c(inputs, list(age = age))
  do.call(entry, c(inputs, list(estimate = b[2], interval = ends(fall, b[2], summary(fit)$coef[2, 2]), ratio = fall(0),
    p = pchisq(fall(0), 1, lower.tail = FALSE))))
}
# fisher.test's own estimate and interval stop at uniroot's default tolerance (1e-4); here the same equations to the end
exact <- function(name, a, n, b, m) {
  fit <- fisher.test(matrix(c(a, n - a, b, m - b), 2))
  k <- max(0, a + b - m):min(n, a + b)
  law <- function(t) { w <- dhyper(k, n, m, a + b, log = TRUE) + k * t; w <- exp(w - max(w)); w / sum(w) }
  root <- function(f) exp(uniroot(f, c(-40, 40), tol = 1e-15, maxiter = 10000)$root)
  first <- a == min(k); last <- a == max(k)
  best <- if (first) 0 else if (last) Inf else root(function(t) sum(law(t) * k) - a)
  low <- if (first) 0 else root(function(t) sum(law(t)[k >= a]) - 0.025)
  high <- if (last) Inf else root(function(t) sum(law(t)[k <= a]) - 0.025)
  entry(name, counts = c(a, n, b, m), estimate = best, interval = c(low, high), p = fit$p.value,
        fisher_test = c(fit$estimate, fit$conf.int))
}
y <- c(1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0)
level <- c(0.3, 1.1, 0.9, 2.4, 0.2, 3.1, 1.8, 2.2, 0.7, 1.5, 3.3, 2.8, 0.1, 4.0, 1.9, 2.6, 3.7, 1.2, 2.9, 4.4, 1.7, 3.0, 2.1, 3.9)
age <- c(34, 61, 55, 47, 29, 72, 66, 58, 43, 50, 69, 77, 38, 63, 71, 54, 60, 45, 74, 68, 41, 52, 65, 70)
risk <- rep(c("good", "intermediate", "poor"), 8)
logistic("one level", y, level)
logistic("with ties", y, round(level))
other <- replace(y, c(2, 3, 7, 9, 16, 21, 24), c(0, 1, 0, 0, 0, 1, 1))
logistic("adjusted", other, level, age, risk)
logistic("large units", y, 1e4 + 250 * level)
firth("Firth", y, level)
firth("Firth, adjusted", other, level, age)
firth("separated", c(0, 0, 0, 0, 1, 1, 1, 1, 1), c(0.2, 0.9, 1.4, 1.6, 2.2, 2.5, 3.1, 3.3, 4.0))
firth("quasi-separated", c(0, 0, 0, 0, 1, 0, 1, 1, 1, 1), c(1, 1, 1, 2, 3, 3, 3, 4, 5, 6))
firth("one of a kind", c(1, rep(0, 11)), c(5, 1, 2, 1, 3, 2, 2, 4, 1, 3, 6, 2))
exact("balanced", 14, 20, 5, 18)
exact("none responded", 0, 11, 6, 12)
exact("all responded", 9, 9, 8, 13)
exact("nothing to tell", 0, 5, 0, 7)
exact("large", 310, 600, 122, 355)
cat("{\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
