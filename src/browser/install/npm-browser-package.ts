/** A package of npm's registry whose content is known. */
export interface PinnedPackage {
  name: string;
  version: string;
  /** Subresource integrity of the .tgz. */
  integrity: string;
}

/**
 * The npm package that carries a headless shell. 147.0.0 is the newest of 147 whose `engines` allow Node 20; its
 * binary needs glibc 2.25 and, with the libraries it brings, nothing else that a bare Debian lacks.
 */
export const npmBrowserPackage: PinnedPackage = {
  name: '@sparticuz/chromium',
  version: '147.0.0',
  integrity:
    'sha512-4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==',
};
